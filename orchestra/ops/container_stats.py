"""`container stats`: what containers use, from their cgroups and network counters.

Nothing is entered or started for it: /proc/PID/net/dev tells of the network namespace of PID.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.container import Resources
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.ops.container_find import spec_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host

_LOOPBACK = "lo"


class Traffic(NamedTuple):
    """Of all interfaces but the loopback, since they were made."""

    received_bytes: int = 0
    sent_bytes: int = 0


class Stats(NamedTuple):
    """One container at one moment; all zero for one that does not run.

    *cpu_percent* is 100 for one whole processor, over the time since the look before.
    *memory_limit_bytes* is that of the host where the container has none.
    """

    state: ContainerState
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    traffic: Traffic = Traffic()
    block_read_bytes: int = 0
    block_write_bytes: int = 0
    pids: int = 0

    @property
    def memory_percent(self) -> float:
        return 100 * self.memory_bytes / self.memory_limit_bytes if self.memory_limit_bytes else 0.0


class _Known(NamedTuple):
    """What the specification says, which never changes."""

    resources: Resources
    has_own_network: bool


class Sampler:
    """Looks at containers again and again."""

    def __init__(self, host: Host) -> None:
        self._layout = host.layout
        self._cgroups = host.cgroups()
        self._known: dict[str, _Known] = {}
        self._before: dict[tuple[str, int], tuple[int, int]] = {}  # run -> (clock, CPU), both in ns
        self._memory_bytes = host_memory_bytes()

    def look(self, states: Iterable[ContainerState]) -> tuple[Stats, ...]:
        """The use of each, in order. The first look knows no CPU percentages."""
        now: dict[tuple[str, int], tuple[int, int]] = {}
        found = tuple(self._stats(state, now) for state in states)
        self._before = now
        return found

    def _stats(self, state: ContainerState, now: dict[tuple[str, int], tuple[int, int]]) -> Stats:
        if state.status not in ALIVE or not state.pid:
            return Stats(state)
        known = self._spec(state)
        scope = self._cgroups.find(f"{state.project}/{state.id}", known.resources)
        usage = scope.usage()
        run = (state.id, state.start_ticks)
        now[run] = (time.monotonic_ns(), usage.cpu_usage_ns)
        limit = usage.memory_limit_bytes
        return Stats(
            state,
            cpu_percent=_percent(self._before.get(run), now[run]),
            memory_bytes=usage.memory_bytes,
            memory_limit_bytes=min(limit, self._memory_bytes) if limit else self._memory_bytes,
            traffic=_traffic(state.pid) if known.has_own_network else Traffic(),
            block_read_bytes=usage.block_read_bytes,
            block_write_bytes=usage.block_write_bytes,
            pids=usage.pids,
        )

    def _spec(self, state: ContainerState) -> _Known:
        found = self._known.get(state.id)
        if found is None:
            found = self._known[state.id] = _read_known(self._layout, state)
        return found


def _read_known(layout: Layout, state: ContainerState) -> _Known:
    """A container that has just been removed uses nothing."""
    try:
        spec = spec_fields(layout, state)
    except NotFound:
        return _Known(Resources(), has_own_network=False)
    parent = spec.get("resources", {}).get("cgroup_parent", "")
    return _Known(Resources(cgroup_parent=parent), spec.get("network_mode") != "host")


def _percent(before: tuple[int, int] | None, now: tuple[int, int]) -> float:
    if before is None or now[0] <= before[0]:
        return 0.0
    return max(0.0, 100 * (now[1] - before[1]) / (now[0] - before[0]))


def _traffic(pid: int) -> Traffic:
    try:
        with open(f"/proc/{pid}/net/dev", encoding="ascii") as file:
            return parse_traffic(file.read())
    except OSError:
        return Traffic()


def parse_traffic(text: str) -> Traffic:
    """The sums in the *text* of a /proc/PID/net/dev. proc(5)."""
    received = sent = 0
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        if name.strip() != _LOOPBACK:
            fields = numbers.split()
            received += int(fields[0])
            sent += int(fields[8])
    return Traffic(received, sent)


def host_memory_bytes() -> int:
    """All memory of this host."""
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    return 0
