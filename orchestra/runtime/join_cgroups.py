"""Entering the cgroups that another process is in, whatever their version. cgroups(7).

For `exec`: the first process of a container may have moved below the cgroup it was started in,
and where a cgroup has children with controllers a process cannot join it but only them.
"""

from __future__ import annotations

import os

_TOP = "/sys/fs/cgroup"


class CgroupsOf:
    """The cgroups of *pid*, looked up when entered."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def enter(self) -> None:
        """Move the calling process, which has one thread, into them. Raises OSError."""
        with open(f"/proc/{self._pid}/cgroup") as file:
            lines = file.read().splitlines()
        with open("/proc/self/cgroup") as file:
            own = frozenset(file.read().splitlines())
        for line in lines:
            if line not in own:
                _join(line)


def _join(line: str) -> None:
    _, controllers, path = line.split(":", 2)
    directory = controllers.removeprefix("name=")
    if controllers:
        # One thread moves faster through `tasks` than a process through `cgroup.procs`.
        files = [f"{_TOP}/{directory}{path}/tasks"]
    else:
        files = [f"{_TOP}{path}/cgroup.procs", f"{_TOP}/unified{path}/cgroup.procs"]
    for file in files:
        try:
            fd = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            os.write(fd, b"0")
        finally:
            os.close(fd)
        return
