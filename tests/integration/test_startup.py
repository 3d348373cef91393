"""What the short commands load when there is a project to work on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.test_startup import FORBIDDEN, SCRIPT

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

COMMANDS = (
    ("ps",),
    ("ps", "--format", "json"),
    ("logs",),
    ("port", "api", "8080"),
    ("exec", "-T", "api", "true"),
    ("kill", "-s", "CONT"),
    ("stop", "-t", "1"),
)


def test_short_commands_load_little(quickstart: Orchestra) -> None:
    quickstart("up", "-d")
    quickstart("ps")  # from here on the project's name is remembered
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *command],
            cwd=quickstart.directory,
            env=quickstart.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        code, *loaded = done.stderr.splitlines()[-1].split()
        assert code == "0", done.stderr
        wrong = [
            name for name in loaded if name in FORBIDDEN or name.startswith("orchestra.config")
        ]
        assert not wrong, f"{' '.join(command)} loads {' '.join(wrong)}"
