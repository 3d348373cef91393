"""The project of a directory is remembered exactly as long as nothing that decides it changes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.cli.context import Context
from orchestra.cli.globals import GlobalOptions
from orchestra.cli.located import Located, load_project, locate, log_target
from orchestra.cli.remembered import recall

if TYPE_CHECKING:
    from pathlib import Path

WEB = "services: {web: {image: host}}\n"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory `demo` with a compose file, and data roots of the test."""
    monkeypatch.setenv("ORCHESTRA_DATA_ROOT", str(tmp_path / "data"))
    monkeypatch.setenv("ORCHESTRA_RUN_ROOT", str(tmp_path / "run"))
    project = tmp_path / "demo"
    project.mkdir()
    (project / "compose.yaml").write_text(WEB)
    return project


def context(directory: Path, options: GlobalOptions | None = None, **environ: str) -> Context:
    return Context(options or GlobalOptions(), environ, str(directory))


def test_a_project_is_remembered_after_it_was_found(directory: Path) -> None:
    assert recall(context(directory)) is None
    assert locate(context(directory)) == Located("demo", ("web",))
    assert recall(context(directory)) == Located("demo", ("web",))


def test_up_which_loads_it_anyway_remembers_it_for_ps(directory: Path) -> None:
    load_project(context(directory))
    assert recall(context(directory)) == Located("demo", ("web",))


def test_loading_for_a_service_of_a_profile_does_not_change_the_memory(directory: Path) -> None:
    (directory / "compose.yaml").write_text(WEB[:-2] + ", tool: {image: host, profiles: [x]}}\n")
    load_project(context(directory), ("tool",))
    assert recall(context(directory)) == Located("demo", ("web",))


@pytest.mark.parametrize(
    "name", [".env", "compose.override.yaml", "compose.yml", "docker-compose.yml"]
)
def test_a_new_file_that_may_count_ends_the_memory(directory: Path, name: str) -> None:
    locate(context(directory))
    (directory / name).write_text("")
    assert recall(context(directory)) is None


def test_a_changed_environment_file_ends_the_memory(directory: Path) -> None:
    (directory / "compose.yaml").write_text("name: demo-${STAGE:-dev}\n" + WEB)
    path = directory / "live.env"
    path.write_text("STAGE=live\n")
    options = GlobalOptions(env_files=(str(path),))
    assert locate(context(directory, options)).name == "demo-live"
    path.write_text("STAGE=canary\n")
    assert locate(context(directory, options)).name == "demo-canary"


def test_services_that_say_attach_false_are_remembered_as_such(directory: Path) -> None:
    quiet = "services: {web: {image: host}, db: {image: host, attach: false}}\n"
    (directory / "compose.yaml").write_text(quiet)
    expected = Located("demo", ("db", "web"), ("db",))
    assert locate(context(directory)) == expected
    assert recall(context(directory)) == expected
    assert log_target(context(directory), ()).services == ("web",)
    assert log_target(context(directory), ("db",)).services == ("db",)


def test_a_changed_file_ends_the_memory(directory: Path) -> None:
    locate(context(directory))
    (directory / "compose.yaml").write_text("name: other\n" + WEB)
    assert locate(context(directory)).name == "other"


def test_a_changed_file_of_the_same_size_ends_the_memory(directory: Path) -> None:
    locate(context(directory))
    path = directory / "compose.yaml"
    path.write_text(WEB.replace("web", "api"))
    os.utime(path, ns=(1, 1))
    assert locate(context(directory)).services == ("api",)


def test_an_included_file_counts_too(directory: Path) -> None:
    (directory / "more.yaml").write_text("services: {db: {image: host}}\n")
    (directory / "compose.yaml").write_text("include: [more.yaml]\n" + WEB)
    assert locate(context(directory)).services == ("db", "web")
    (directory / "more.yaml").write_text("services: {cache: {image: host}}\n")
    assert locate(context(directory)).services == ("cache", "web")


def test_an_environment_file_that_appears_beside_an_included_file_counts(directory: Path) -> None:
    (directory / "part").mkdir()
    (directory / "part" / "more.yaml").write_text("services: {db: {image: host}}\n")
    (directory / "compose.yaml").write_text("include: [part/more.yaml]\n" + WEB)
    locate(context(directory))
    (directory / "part" / ".env").write_text("")
    assert recall(context(directory)) is None


def test_a_variable_that_the_file_asks_for_counts(directory: Path) -> None:
    (directory / "compose.yaml").write_text("name: demo-${STAGE:-dev}\n" + WEB)
    assert locate(context(directory)).name == "demo-dev"
    assert locate(context(directory)).name == "demo-dev"
    assert locate(context(directory, STAGE="live")).name == "demo-live"
    assert recall(context(directory, OTHER="x")) is None
    locate(context(directory))
    assert recall(context(directory, OTHER="x")) == Located("demo-dev", ("web",))


def test_other_flags_are_another_question(directory: Path) -> None:
    locate(context(directory))
    assert recall(context(directory, GlobalOptions(profiles=("x",)))) is None
    assert recall(context(directory, COMPOSE_PROFILES="x")) is None


def test_a_name_on_the_command_line_needs_no_file(directory: Path) -> None:
    (directory / "compose.yaml").unlink()
    found = locate(context(directory, GlobalOptions(project_name="any")))
    assert found == Located("any", None)


def test_the_variable_names_a_project_whose_file_is_gone(directory: Path) -> None:
    (directory / "compose.yaml").unlink()
    assert locate(context(directory, COMPOSE_PROJECT_NAME="any")) == Located("any", None)


def test_a_damaged_record_is_no_record(directory: Path, tmp_path: Path) -> None:
    locate(context(directory))
    (record,) = (tmp_path / "data" / "cache" / "located").glob("*.json")
    for damage in (b"", b"[]", b"{}", b'{"asked": 1}', b"\xff"):
        record.write_bytes(damage)
        assert recall(context(directory)) is None
        assert locate(context(directory)).name == "demo"
