"""`kill -9` in the middle of `up`: the same command again finishes it, `down` finds it all."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.scenario import PROGRAM

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

SERVICES = 6
SERVICE = "  s{0}: {{image: host, init: true, command: [sleep, '600'], volumes: [/data], {1}}}\n"


@pytest.mark.parametrize("after_s", [0.05, 0.1, 0.15, 0.2, 0.3, 0.5])
def test_up_that_was_killed_is_finished_by_the_next(orchestra: Orchestra, after_s: float) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write("name: killed\nservices:\n")
        for number in range(SERVICES):
            edge = f"depends_on: [s{number - 1}]" if number else ""
            file.write(SERVICE.format(number, edge))
    command = subprocess.Popen(
        (PROGRAM, "up", "-d"),
        cwd=orchestra.directory,
        env=orchestra.env,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)  # the moment of the kill is the point of the test
    command.kill()
    command.wait(10)
    orchestra("up", "-d")
    assert len(orchestra("ps", "-q").out.split()) == SERVICES
    assert orchestra("explain").out.endswith("as the compose file says.\n")
    orchestra("down", "-v", "-t", "0")
    assert orchestra("ps", "-a", "-q").out == ""
    assert os.listdir(os.path.join(orchestra.env["ORCHESTRA_DATA_ROOT"], "volumes")) == []
