"""`system info`: this machine, and how much of everything there is on it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.model.state import Status
from orchestra.named import NamedTuple
from orchestra.ops.container_find import all_states
from orchestra.ops.container_stats import host_memory_bytes
from orchestra.ops.image_filters import Filters
from orchestra.ops.image_ls import image_ls

if TYPE_CHECKING:
    from orchestra.layout import Layout


class SystemInfo(NamedTuple):
    """*containers* are counted by status."""

    containers: dict[str, int]
    images: int
    data_root: str
    kernel: str
    system: str  # "Debian GNU/Linux 12 (bookworm)"
    machine: str
    name: str
    cpus: int
    memory_bytes: int
    cgroup_version: str


def system_info(layout: Layout) -> SystemInfo:
    """As it is now."""
    states = all_states(layout)
    counts: dict[str, int] = {}
    for state in states:
        counts[state.status] = counts.get(state.status, 0) + 1
    running = counts.get(Status.RUNNING, 0) + counts.get(Status.RESTARTING, 0)
    paused = counts.get(Status.PAUSED, 0)
    host = os.uname()
    return SystemInfo(
        containers={
            "all": len(states),
            "running": running,
            "paused": paused,
            "stopped": len(states) - running - paused,
        },
        images=len({line.id for line in image_ls(layout, Filters())}),
        data_root=layout.data_root,
        kernel=host.release,
        system=_system(),
        machine=host.machine,
        name=host.nodename,
        cpus=os.cpu_count() or 1,
        memory_bytes=host_memory_bytes(),
        cgroup_version="2" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "1",
    )


def _system() -> str:
    """os-release(5)."""
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            for line in file:
                if line.startswith("PRETTY_NAME="):
                    return line.partition("=")[2].strip().strip('"')
    except OSError:
        pass
    return "Linux"
