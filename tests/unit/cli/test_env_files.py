"""Which COMPOSE_ variables count from the project's `.env`, and which file that is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.cli.env_files import FROM_ENV_FILES, with_env_files
from orchestra.cli.environment import VARIABLES
from orchestra.cli.globals import GlobalOptions
from orchestra.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

MENU = "COMPOSE_MENU=false\n"


def added(options: GlobalOptions, cwd: Path, **environ: str) -> dict[str, str]:
    """What the env files add to *environ*."""
    found = with_env_files(options, environ, str(cwd))
    return {name: value for name, value in found.items() if environ.get(name) != value}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    (directory / "sub").mkdir(parents=True)
    (directory / "compose.yml").touch()
    (directory / ".env").write_text(MENU)
    return directory


def test_four_variables_count_and_the_environment_wins(project: Path) -> None:
    lines = [f"{name}=${{WHICH}}" for name in VARIABLES if name.startswith("COMPOSE_")]
    (project / ".env").write_text("\n".join(lines))
    assert added(GlobalOptions(), project, WHICH="x") == dict.fromkeys(FROM_ENV_FILES, "x")
    assert "COMPOSE_ANSI" not in added(GlobalOptions(), project, COMPOSE_ANSI="never")
    assert set(FROM_ENV_FILES) <= VARIABLES.keys()


def test_the_file_lies_where_the_compose_file_does(project: Path, tmp_path: Path) -> None:
    wanted = {"COMPOSE_MENU": "false"}
    assert added(GlobalOptions(), project) == wanted
    assert added(GlobalOptions(), project / "sub") == wanted
    assert added(GlobalOptions(files=("project/compose.yml",)), tmp_path) == wanted
    assert added(GlobalOptions(project_directory="project"), tmp_path) == wanted
    assert added(GlobalOptions(), tmp_path, COMPOSE_FILE="project/compose.yml:x") == wanted
    assert added(GlobalOptions(env_files=(str(project / ".env"),)), tmp_path) == wanted
    assert added(GlobalOptions(), tmp_path) == {}
    assert added(GlobalOptions(project_directory="."), project / "sub") == {}
    assert added(GlobalOptions(), project, COMPOSE_DISABLE_ENV_FILE="1") == {}
    assert added(GlobalOptions(), project, COMPOSE_DISABLE_ENV_FILE="0") == wanted


def test_without_a_compose_file_it_lies_here(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(MENU)
    assert added(GlobalOptions(), tmp_path) == {"COMPOSE_MENU": "false"}


def test_a_pipe_is_left_for_the_loader(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, MENU.encode())
    os.close(writer)
    assert added(GlobalOptions(env_files=(f"/dev/fd/{reader}",)), tmp_path) == {}
    assert os.read(reader, 100) == MENU.encode()
    os.close(reader)


def test_a_file_that_is_wrong_adds_nothing(project: Path) -> None:
    (project / ".env").write_text('COMPOSE_MENU="false\n')
    assert added(GlobalOptions(), project) == {}


def test_commands_on_a_project_tell_of_a_value_that_means_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / ".env").write_text("COMPOSE_PARALLEL_LIMIT=x\n")
    monkeypatch.chdir(project)
    monkeypatch.setenv("PWD", str(project))
    monkeypatch.setenv("ORCHESTRA_DATA_ROOT", str(project / "data"))
    monkeypatch.setenv("ORCHESTRA_RUN_ROOT", str(project / "run"))
    assert main(["ps"]) == 1
    assert 'COMPOSE_PARALLEL_LIMIT must be an integer (found: "x")' in capfd.readouterr().err
    assert main(["-p", "demo", "--parallel", "3", "ps", "-q"]) == 0
    assert main(["version", "--short"]) == 0
    assert main(["image", "ls"]) == 0
