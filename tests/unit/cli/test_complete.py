"""What can follow on a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.cli.complete import complete, places_of
from orchestra.cli.main import load
from orchestra.cli.places import OF_COMMAND, PLACES, WORDS, bare
from orchestra.cli.table import COMMANDS
from orchestra.layout import Layout
from tests.support.named import have_names

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = """
services:
  api: {image: host}
  web: {image: host, depends_on: [api]}
  tool: {image: host, profiles: [extra]}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORCHESTRA_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("ORCHESTRA_RUN_ROOT", str(tmp_path / "run"))
    directory = tmp_path / "demo"
    directory.mkdir()
    (directory / "compose.yaml").write_text(COMPOSE)
    return directory


@pytest.fixture
def ask(project: Path, capsys: pytest.CaptureFixture[str]) -> object:
    """The candidates for the last word of a command line."""

    def candidates(*words: str) -> list[str]:
        assert complete(words, {}, str(project)) == 0
        return [line.partition("\t")[0] for line in capsys.readouterr().out.splitlines()]

    return candidates


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sto",), ["stop"]),
        (("-p", "x", "unp"), ["unpause"]),
        (("help", "unp"), ["unpause"]),
        (("image", "i"), ["inspect", "import"]),
        (("--progress", ""), ["auto", "tty", "plain", "json", "quiet"]),
        (("--progress=p",), ["--progress=plain"]),
        (("--project-d",), ["--project-directory"]),
        (("up", ""), ["api", "web"]),
        (("up", "web", ""), ["api"]),
        (("up", "--scale", ""), ["api=", "web="]),
        (("up", "--exit-code-from=w"), ["--exit-code-from=web"]),
        (("up", "--exit"), ["--exit-code-from"]),
        (("up", "-dt", "5", "w"), ["web"]),
        (("up", "--", "-"), []),
        (("down", "--dry"), ["--dry-run"]),
        (("exec", "-T", "a"), ["api"]),
        (("exec", "api", ""), []),
        (("exec", "api", "-"), []),
        (("wait", "api", ""), ["web"]),
        (("logs", "--tail", ""), []),
        (("ps", "--status", "ex"), ["exited"]),
        (("--profile", ""), ["extra"]),
        (("--profile", "extra", "up", "t"), ["tool"]),
        (("-f", ""), [":files"]),
        (("--project-directory", ""), [":directories"]),
        (("completion", ""), ["bash", "fish", "zsh"]),
        (("version", ""), []),
        (("scale", "web=2", "a"), ["api="]),
        (("down", "api", ""), ["web"]),
        (("image", "rm", ""), []),
        (("container", "commit", ""), []),
        (("cp", ""), ["api:", "web:", ":files"]),
        (("cp", "web:/etc", "w"), ["web:", ":files"]),
        (("image", "tag", "a"), []),
        (("run", "-e", "ORCHESTRA_D"), []),
        (("kill", "-s", "HU"), ["HUP"]),
        (("volume", "create", "--driver", ""), ["local"]),
        (("image", "pull", "--platform=linux/am"), ["--platform=linux/amd64"]),
        (("volumes", "--format", "j"), ["json"]),
        (("config", "--hash", "a"), ["api"]),
        (("bundle", "up", ""), [":files"]),
        (("image", "build", ""), [":directories"]),
        (("run", "-v", ""), [":directories"]),
        (("run", "-w", ""), []),
        (("--workdir", ""), [":directories"]),
        (("ls", "--filter", ""), ["name="]),
        (("nosuch", ""), []),
        (("--nosuch", "up", ""), []),
        (("--nosuch=",), []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_candidates(ask: object, words: tuple[str, ...], expected: list[str]) -> None:
    assert callable(ask)
    assert ask(*words) == expected


def test_a_candidate_says_what_it_means(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    complete(("paus",), {}, str(project))
    assert capsys.readouterr().out == "pause\tPause services\n"


def test_a_broken_file_gives_no_candidates_and_no_noise(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "compose.yaml").write_text("services: [")
    assert complete(("up", ""), {}, str(project)) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_place_of_a_usage_line_is_one_that_completion_knows(name: str) -> None:
    words = [bare(word) for word in places_of(load(name).COMMAND)]
    if "|" in words:  # alternatives: the first one counts
        words = words[: words.index("|")]
    assert not [word for word in words if word not in PLACES]


def test_exceptions_are_of_flags_and_places_that_there_are() -> None:
    for name, what in (*OF_COMMAND, *((name, f"--{flag}") for name, flag in WORDS)):
        if name not in COMMANDS:
            assert name == "*" or name.startswith("container ")
            continue
        command = load(name).COMMAND
        there = {f"--{flag.name}" for flag in command.flags} | {*map(bare, places_of(command))}
        assert what in there, f"{name} {what}"


def test_filters_that_are_offered_are_those_that_the_commands_take() -> None:
    from orchestra.ops import image_ls, image_prune, networks, system_prune, volumes

    taken = {
        "image ls": image_ls.FILTERS,
        "network ls": networks.LIST_FILTERS,
        "network prune": networks.PRUNE_FILTERS,
        "volume ls": volumes.LIST_FILTERS,
        "volume prune": volumes.PRUNE_FILTERS,
        "system prune": system_prune.FILTERS,
    }
    for name, filters in taken.items():
        assert {f"{each}=" for each in filters} == set(WORDS[name, "filter"])
    assert {word[:-1] for word in WORDS["image prune", "filter"]} <= set(image_prune.FILTERS)


def test_images_volumes_and_networks_of_this_machine(project: Path, ask: object) -> None:
    layout = Layout(str(project.parent / "data"), str(project.parent / "run"))
    have_names(layout)
    assert callable(ask)
    assert ask("image", "rm", "") == ["redis:7", "registry:2"]
    assert ask("image", "build", "-t", "redis") == ["redis:7"]
    assert ask("volume", "inspect", "") == ["shared"]
    assert ask("bundle", "save", "--with-volume", "") == ["shared"]
    assert ask("run", "-v", "s") == ["shared:", ":directories"]
    assert ask("network", "rm", "") == ["edge"]
    assert ask("network", "create", "--config-from", "e") == ["edge"]
    assert ask("network", "create", "") == []
    assert ask("container", "commit", "") == ["demo-web-1"]


def test_a_machine_with_nothing_on_it_stays_so(project: Path, ask: object) -> None:
    assert callable(ask)
    for family in ("image", "volume", "network"):
        assert ask(family, "rm", "") == []
    assert not (project.parent / "data").exists()
