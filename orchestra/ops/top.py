"""`top`: the processes of running containers, from /proc."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.model.state import Status
from orchestra.named import NamedTuple
from orchestra.ops.target import find_containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.target import Target


class ProcessLine(NamedTuple):
    """One process; ids as the host sees them, times in seconds. proc(5)."""

    uid: int
    pid: int
    ppid: int
    started_s: float  # since the epoch
    cpu_s: float
    terminal: int  # device number, 0 for none
    command: str


def top(
    layout: Layout, target: Target
) -> tuple[tuple[ContainerState, tuple[ProcessLine, ...]], ...]:
    """The running containers of *target*, each with its processes by pid.

    A process belongs to the container in whose cgroup it is, as with Docker, so that one on the
    host's pid namespace tells nothing of the host. Raises NotFound for unknown services.
    """
    return container_top(find_containers(layout, target, oneoffs=True))


def container_top(
    containers: Iterable[ContainerState],
) -> tuple[tuple[ContainerState, tuple[ProcessLine, ...]], ...]:
    """The same of the running ones among *containers*, of whatever projects."""
    running = [each for each in containers if each.status in (Status.RUNNING, Status.PAUSED)]
    if not running:
        return ()
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    cgroups = {pid: _cgroups(pid) for pid in pids}
    boot_s = _boot_time_s()
    return tuple((container, _lines(_members(container, cgroups), boot_s)) for container in running)


def _members(container: ContainerState, cgroups: Mapping[int, str]) -> list[int]:
    """Who is in the cgroup of *container*, which bears its id, or in one below.

    Without cgroups (`cgroup.disabled`) it is who shares the pid namespace.
    """
    if container.id in cgroups.get(container.pid, ""):
        return [pid for pid, text in cgroups.items() if container.id in text]
    own = _pid_namespace(container.pid)
    return [pid for pid in cgroups if own and _pid_namespace(pid) == own]


def _cgroups(pid: int) -> str:
    """/proc/PID/cgroup; "" when the process has gone."""
    try:
        with open(f"/proc/{pid}/cgroup") as stream:
            return stream.read()
    except OSError:
        return ""


def _pid_namespace(pid: int) -> str:
    """What identifies the pid namespace of *pid*; "" when the process has gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _lines(pids: list[int], boot_s: float) -> tuple[ProcessLine, ...]:
    found = (_read(pid, boot_s) for pid in sorted(pids))
    return tuple(line for line in found if line is not None)


def _read(pid: int, boot_s: float) -> ProcessLine | None:
    """The process *pid*, None when it has gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            stat = stream.read()
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            words = stream.read().rstrip(b"\0").split(b"\0")
        uid = os.stat(f"/proc/{pid}").st_uid
    except (FileNotFoundError, ProcessLookupError):
        return None
    name, _, rest = stat.partition(b"(")[2].rpartition(b")")
    fields = rest.split()  # from field 3, the state, on
    ticks = os.sysconf("SC_CLK_TCK")
    command = b" ".join(words) if words != [b""] else b"[" + name + b"]"
    return ProcessLine(
        uid=uid,
        pid=pid,
        ppid=int(fields[1]),
        started_s=boot_s + int(fields[19]) / ticks,
        cpu_s=(int(fields[11]) + int(fields[12])) / ticks,
        terminal=int(fields[4]),
        command=command.decode(errors="replace"),
    )


def _boot_time_s() -> float:
    with open("/proc/stat", encoding="ascii") as stream:
        for line in stream:
            if line.startswith("btime "):
                return float(line.split()[1])
    return 0.0
