"""What the short commands load: a budget that is kept by importing little."""

from __future__ import annotations

import subprocess
import sys

import pytest

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

COMMANDS = (
    ("ps",),
    ("logs",),
    ("exec", "-T", "web", "true"),
    ("stop",),
    ("kill",),
    ("port", "web", "80"),
    ("version",),
    ("--help",),
    ("up", "--help"),
    ("completion", "bash"),
    ("__complete", "up", "--pro"),
    ("__complete", "st"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_short_command_loads_little(command: tuple[str, ...], tmp_path: object) -> None:
    project = () if "--help" in command else ("-p", "demo")
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
