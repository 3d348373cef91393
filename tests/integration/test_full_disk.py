"""A data root without room: what runs goes on, and everything can be stopped and removed."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

PROJECT = """
services:
  loud: {image: host, command: [sh, -c, "while [ ! -e /dev/shm/go ]; do sleep 1; done; yes abc"]}
  ends: {image: host, command: [sh, -c, "while [ ! -e /dev/shm/go ]; do sleep 1; done; exit 4"]}
"""


@pytest.fixture
def tiny(orchestra: Orchestra) -> Iterator[Orchestra]:
    """The command with a data root of 4 MB."""
    root = orchestra.env["ORCHESTRA_DATA_ROOT"]
    os.makedirs(root)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", root], check=True)
    yield orchestra
    eventually(lambda: subprocess.run(["umount", root], check=False).returncode == 0, within_s=5)


def test_a_full_disk_stops_nobody_from_taking_the_project_down(tiny: Orchestra) -> None:
    with open(os.path.join(tiny.directory, "compose.yaml"), "w") as file:
        file.write(PROJECT)
    root = tiny.env["ORCHESTRA_DATA_ROOT"]
    tiny("up", "-d")
    tiny("exec", "-T", "loud", "touch", "/dev/shm/go")
    eventually(lambda: os.statvfs(root).f_bavail == 0, within_s=10)
    tiny("exec", "-T", "ends", "touch", "/dev/shm/go")

    def ended() -> bool:
        states = tiny("ps", "-a", "--format", "json").out.splitlines()
        return {json.loads(line)["State"] for line in states} == {"running", "exited"}

    eventually(ended, within_s=10)
    tiny("stop", "-t", "0")
    tiny("down", "-t", "0", timeout_s=20)
    assert tiny("ps", "-aq").out == ""
    eventually(lambda: os.statvfs(root).f_bavail > 0, within_s=5)
    assert os.listdir(os.path.join(root, "names")) == []
