"""What instructions make of the image's settings."""

from __future__ import annotations

import pytest

from orchestra.build.dockerfile import parse_dockerfile
from orchestra.build.instructions.stopsignal import is_signal
from orchestra.build.settings import absolute, apply
from orchestra.errors import BuildError
from orchestra.image.config import RunSettings


def after(*instructions: str, start: RunSettings | None = None) -> RunSettings:
    text = "FROM scratch\n" + "\n".join(instructions)
    settings = start or RunSettings()
    for command in parse_dockerfile(text.encode(), "Dockerfile").stages[0].commands:
        settings = apply(settings, command)
    return settings


def test_env_replaces_a_variable_at_its_place() -> None:
    assert after("ENV A=1 B=2", "ENV A=3 C=4").env == ("A=3", "B=2", "C=4")


def test_labels_merge() -> None:
    assert after("LABEL a=1 b=2", "LABEL a=3").labels == {"a": "3", "b": "2"}


def test_ports_have_protocols_and_ranges_are_spelt_out() -> None:
    assert after("EXPOSE 80 53/UDP 8000-8002/tcp").exposed_ports == {
        "53/udp": {},
        "80/tcp": {},
        "8000/tcp": {},
        "8001/tcp": {},
        "8002/tcp": {},
    }


@pytest.mark.parametrize("port", ["x", "0", "70000", "80/xyz", "9-70000"])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(BuildError, match="EXPOSE"):
        after(f"EXPOSE {port}")


def test_shell_form_takes_the_shell_of_its_time() -> None:
    settings = after('SHELL ["/bin/bash", "-c"]', "CMD run me", 'SHELL ["/bin/zsh", "-c"]')
    assert settings.cmd == ("/bin/bash", "-c", "run me")
    assert settings.shell == ("/bin/zsh", "-c")


def test_exec_form_is_taken_as_it_is() -> None:
    assert after('ENTRYPOINT ["/x", "$A"]').entrypoint == ("/x", "$A")


def test_workdir_is_relative_to_the_one_before() -> None:
    assert after("WORKDIR /a/", "WORKDIR b", "WORKDIR ../c").working_dir == "/a/c"


def test_healthcheck_none_is_kept_to_hide_the_base_images() -> None:
    health = after("HEALTHCHECK NONE").healthcheck
    assert health is not None
    assert health.test == ("NONE",)


def test_triggers_add_up() -> None:
    assert after("ONBUILD RUN a", "ONBUILD RUN b").on_build == ("RUN a", "RUN b")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x", "/srv/x"),
        ("x/", "/srv/x/"),
        (".", "/srv/"),
        ("/y", "/y"),
        ("..", "/"),
        ("./", "/srv/"),
    ],
)
def test_a_destination_keeps_its_slash(path: str, expected: str) -> None:
    assert absolute(RunSettings(working_dir="/srv"), path) == expected


@pytest.mark.parametrize("text", ["SIGTERM", "quit", "15", "SIGRTMIN+3", "RTMAX-1"])
def test_signals_are_names_and_numbers(text: str) -> None:
    assert is_signal(text)


@pytest.mark.parametrize("text", ["", "NOPE", "0", "65", "-1", "SIGSIGTERM", "RTMIN+999"])
def test_other_texts_are_no_signals(text: str) -> None:
    assert not is_signal(text)
