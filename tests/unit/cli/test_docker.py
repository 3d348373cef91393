"""`orchestra docker …`: Docker's words to orchestra's, and what leads elsewhere."""

from __future__ import annotations

import pytest

from orchestra.cli.docker import translate
from orchestra.cli.flags import FlagError
from orchestra.cli.table import ALIASES, COMMANDS, FAMILIES
from orchestra.errors import OrchestraError, Unsupported


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ps -a", "container ls -a"),
        ("run --rm image ps", "container run --rm image ps"),
        ("images", "image ls"),
        ("rmi x", "image rm x"),
        ("build .", "image build ."),
        ("buildx build --load .", "image build --load ."),
        ("buildx version", "buildx version"),
        ("inspect x", "docker inspect x"),
        ("-v", "docker version --short"),
        ("-H unix:///x --log-level debug ps", "container ls"),
        ("--context default info", "system info"),
        ("events", "system events"),
        ("container ls", "container ls"),
        ("login host", "login host"),
        ("", "docker --help"),
        ("--help", "docker --help"),
    ],
)
def test_words_are_translated(written: str, meant: str) -> None:
    found = translate(written.split(), {})
    assert found.words == tuple(meant.split())
    assert not found.is_compose
    first = found.words[0]
    name = " ".join(found.words[:2]) if first in FAMILIES else first
    assert ALIASES.get(name, name) in COMMANDS or name == "docker --help"


def test_compose_is_orchestra_itself() -> None:
    found = translate(["compose", "-p", "shop", "up"], {})
    assert (found.words, found.is_compose) == (("-p", "shop", "up"), True)


def test_the_configuration_is_where_the_flag_says() -> None:
    environ: dict[str, str] = {}
    translate(["--config", "/x", "ps"], environ)
    assert environ == {"DOCKER_CONFIG": "/x"}


@pytest.mark.parametrize("words", ["-H tcp://x ps", "-c far ps", "swarm init", "buildx create"])
def test_what_leads_elsewhere_is_refused_with_what_to_do(words: str) -> None:
    with pytest.raises(Unsupported) as raised:
        translate(words.split(), {})
    assert raised.value.fix


def test_unknown_flags_and_words_exit_as_dockers() -> None:
    with pytest.raises(FlagError) as raised:
        translate(["--nope"], {})
    assert raised.value.exit_code == 125
    with pytest.raises(OrchestraError, match="'nope' is not a docker command") as other:
        translate(["nope"], {})
    assert other.value.exit_code == 1
