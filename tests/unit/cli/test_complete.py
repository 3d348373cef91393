"""What can follow on a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.cli.complete import complete

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
