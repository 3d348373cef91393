"""What the short commands load: a budget that is kept by importing little."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orchestra.cli.table import COMMANDS
from orchestra.supervisor.spawn import interpreter

if TYPE_CHECKING:
    from pathlib import Path

FORBIDDEN = (
    "yaml",
    "msgspec",
    "dataclasses",
    "asyncio",
    "subprocess",
    "http",
    "ssl",
    "jsonschema",
    "networkx",
    "argparse",
    "importlib.metadata",
    "orchestra.config",
    "orchestra.model.project",
    "orchestra.model.container",
)

SCRIPT = """
import sys
from orchestra.cli.main import main
code = main(sys.argv[1:])
print(code, *sorted(sys.modules), file=sys.stderr)
"""

LIGHT = (
    ("ps",),
    ("logs",),
    ("exec", "-T", "web", "true"),
    ("stop",),
    ("kill",),
    ("port", "web", "80"),
    ("version",),
    ("--help",),
    ("image", "--help"),
    ("completion", "bash"),
    ("nosuch",),
    ("up", "--nosuch"),
    ("publish",),
    ("__complete", "up", "--pro"),
    ("__complete", "st"),
    ("__complete", "image", "rm", ""),
    ("__complete", "volume", "rm", ""),
    ("__complete", "network", "rm", ""),
    ("__complete", "container", "commit", ""),
    ("__complete", "-p", ""),
)


@pytest.mark.parametrize("command", LIGHT, ids=" ".join)
def test_a_short_command_loads_little(command: tuple[str, ...], tmp_path: object) -> None:
    is_light = command[0] in ("ps", "logs", "exec", "stop", "kill", "port")
    project = ("-p", "demo") if is_light and "--help" not in command else ()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *project, *command],
        env={"ORCHESTRA_DATA_ROOT": f"{tmp_path}/data", "ORCHESTRA_RUN_ROOT": f"{tmp_path}/run"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    _code, *loaded = done.stderr.splitlines()[-1].split()
    assert "orchestra.cli.main" in loaded
    assert "this is a bug" not in done.stderr, done.stderr
    assert not [name for name in loaded if name in FORBIDDEN or name.startswith("orchestra.config")]


def test_up_loads_nothing_that_starts_other_programs(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: host, command: ['true']}}")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "--dry-run", "up", "-d"],
        cwd=tmp_path,
        env={"ORCHESTRA_DATA_ROOT": f"{tmp_path}/data", "ORCHESTRA_RUN_ROOT": f"{tmp_path}/run"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    assert "orchestra.ops.up" in loaded
    assert not set(loaded) & {"subprocess", "shutil", "threading", "asyncio", "ssl", "networkx"}


@pytest.mark.parametrize("command", ["up", "run", "create", "down", "restart", "config"])
def test_msgspec_is_imported_at_half_the_price(command: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: host, command: ['true']}}")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "--dry-run", command, *["web"] * (command == "run")],
        cwd=tmp_path,
        env={"ORCHESTRA_DATA_ROOT": f"{tmp_path}/data", "ORCHESTRA_RUN_ROOT": f"{tmp_path}/run"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    loaded = done.stderr.splitlines()[-1].split()
    assert "msgspec" in loaded, done.stderr
    assert not {"typing_extensions", "_hashlib"} & set(loaded)


def test_a_reaper_loads_next_to_nothing() -> None:
    """Each module would be in memory as long as the project runs."""
    program = interpreter("orchestra.supervisor.reaper", "main")
    script = program[-1].replace("main(sys.argv[1:])", "print(*sys.modules)")
    done = subprocess.run([*program[:-1], script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "orchestra.supervisor.reaper" in loaded
    assert not loaded & {"collections", "contextlib", "functools", "re", "signal", "typing"}


def test_the_help_of_any_command_loads_little() -> None:
    script = """
import sys
from orchestra.cli.main import main
for name in sys.argv[1:]:
    assert main([*name.split(), "--help"]) == 0
print(*sorted(sys.modules), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *COMMANDS],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = done.stderr.splitlines()[-1].split()
    assert "orchestra.cli.commands.up" in loaded
    assert not [name for name in loaded if name in FORBIDDEN or name.startswith("orchestra.config")]


def test_the_help_of_the_program_loads_no_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "--help"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    assert code == "0"
    assert not [name for name in loaded if name.startswith("orchestra.cli.commands")]
    assert not [name for name in loaded if name.startswith("orchestra.ops")]


def loaded_by(statement: str) -> set[str]:
    """The modules that a Python program has after *statement*, which it had not before."""
    script = f"import sys; before = set(sys.modules); {statement}; "
    script += "print(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True
    )
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_more() -> None:
    assert loaded_by("import orchestra") == {"orchestra"}


def test_importing_project_does_not_import_what_loads_one() -> None:
    loaded = loaded_by("from orchestra import Project, Service, ExecResult, HostPort")
    assert "orchestra.project_api.project" in loaded
    assert not loaded & {"yaml", "msgspec", "jsonschema", "orchestra.config.pipeline"}


def test_other_names_of_the_package_do_not_exist() -> None:
    with pytest.raises(ImportError, match="nonsense"):
        from orchestra import nonsense  # type: ignore[attr-defined]  # noqa: F401
