"""A project is recalled whole only when loading it anew would give the same."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from orchestra.cli.context import Context
from orchestra.cli.globals import GlobalOptions
from orchestra.cli.located import load_here, load_project
from orchestra.cli.remembered_project import SETTLED_NS, recall_project
from orchestra.config import document

if TYPE_CHECKING:
    from pathlib import Path

WEB = """\
services:
  web:
    image: host
    environment: {STAGE: "${STAGE:-dev}", TOKEN: }
    env_file: [{path: web.env, required: false}]
  tool: {image: host, profiles: [x]}
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory `demo` with a compose file that has settled, and data roots of the test."""
    monkeypatch.setenv("ORCHESTRA_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("ORCHESTRA_RUN_ROOT", str(tmp_path / "run"))
    project = tmp_path / "demo"
    project.mkdir()
    (project / "compose.yaml").write_text(WEB)
    return project


def context(directory: Path, options: GlobalOptions | None = None, **environ: str) -> Context:
    return Context(options or GlobalOptions(), environ, str(directory))


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's files be old enough, without waiting: the clock is ahead of theirs."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 2 * SETTLED_NS)


def test_what_is_recalled_is_what_was_loaded(directory: Path) -> None:
    (directory / ".env").write_text("STAGE=test\nMORE=1\n")
    assert recall_project(context(directory)) is None
    loaded = load_project(context(directory, TOKEN="t"))
    recalled = recall_project(context(directory, TOKEN="t"))
    assert recalled is not None
    assert recalled.project == loaded == load_here(context(directory, TOKEN="t")).project


def test_no_yaml_is_read_for_it(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = load_project(context(directory))

    def refuse(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(document, "read_documents", refuse)
    monkeypatch.setattr("orchestra.config.state.read_documents", refuse)
    assert load_project(context(directory)) == project


def test_its_warnings_are_said_each_time(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "compose.yaml").write_text('version: "3"\n' + WEB)
    load_project(context(directory))
    first = capsys.readouterr().err
    load_project(context(directory))
    assert "obsolete" in first
    assert capsys.readouterr().err == first


def test_any_variable_counts(directory: Path) -> None:
    load_project(context(directory, TOKEN="a"))
    assert recall_project(context(directory, TOKEN="b")) is None
    assert recall_project(context(directory)) is None
    assert recall_project(context(directory, TOKEN="a", OTHER="")) is None
    assert recall_project(context(directory, TOKEN="a")) is not None


@pytest.mark.parametrize("name", ["web.env", ".env", "compose.override.yaml"])
def test_a_file_that_appears_counts(directory: Path, name: str) -> None:
    load_project(context(directory))
    (directory / name).write_text("")
    assert recall_project(context(directory)) is None


def test_a_change_that_keeps_size_and_time_counts(directory: Path) -> None:
    path = directory / "compose.yaml"
    load_project(context(directory))
    times = path.stat()
    with path.open("r+") as file:
        file.write(WEB.replace("web", "api"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert recall_project(context(directory)) is None


def test_what_has_just_been_written_is_not_trusted(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("ORCHESTRA_DATA_ROOT", str(directory / "data"))
    (directory / "compose.yaml").write_text(WEB)
    load_project(context(directory))
    assert recall_project(context(directory)) is None


@pytest.mark.parametrize(
    "more",
    [
        "    develop: {watch: [{path: src, action: rebuild}]}\n",
        "    secrets: [s]\nsecrets: {s: {environment: TOKEN}}\n",
    ],
)
def test_what_must_be_read_each_time_is_not_kept(directory: Path, more: str) -> None:
    (directory / "compose.yaml").write_text("services:\n  web:\n    build: .\n" + more)
    load_project(context(directory, TOKEN="bytes of a secret"))
    assert recall_project(context(directory, TOKEN="bytes of a secret")) is None
    kept = [path.read_bytes() for path in directory.parent.glob("data/cache/located/*")]
    assert not any(b"bytes of a secret" in data for data in kept)


def test_other_flags_are_another_question(directory: Path) -> None:
    load_project(context(directory))
    for options in (
        GlobalOptions(all_resources=True),
        GlobalOptions(profiles=("x",)),
        GlobalOptions(project_name="other"),
    ):
        assert recall_project(context(directory, options)) is None


def test_a_service_of_a_profile_is_enabled_as_before(directory: Path) -> None:
    load_project(context(directory))
    assert load_project(context(directory), ("tool",)).service_names == ("tool",)
    assert load_project(context(directory)).service_names == ("web",)


def test_errors_of_a_recalled_project_have_their_place(directory: Path) -> None:
    load_project(context(directory))
    recalled = context(directory)
    load_project(recalled)
    where = recalled.place_of(("services", "web", "image"))
    assert where is not None
    assert (where.file, where.line) == (str(directory / "compose.yaml"), 3)


def test_a_damaged_record_is_no_record(directory: Path, tmp_path: Path) -> None:
    load_project(context(directory))
    (record,) = (tmp_path / "data" / "cache" / "located").glob("*.project")
    for damage in (b"", b"\x80", b"\xff", record.read_bytes()[:-5]):
        record.write_bytes(damage)
        assert recall_project(context(directory)) is None
    assert load_project(context(directory)).service_names == ("web",)
