"""CgroupManager over the v1 controllers, each a hierarchy of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.cgroup import limits_v1, tree
from orchestra.cgroup.base import Usage
from orchestra.cgroup.devices import allowed_rules, device_number
from orchestra.cgroup.settings import SYSTEMD, UNIFIED, relative_path
from orchestra.errors import RuntimeFailure
from orchestra.linux.clone import fork_init

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.linux.clone import Kin
    from orchestra.model.container import Device, Resources

_ALWAYS = ("freezer", "devices", "memory", "pids", "cpuacct", "blkio", SYSTEMD, UNIFIED)
"""Joined by every container: to stop, confine and account, and so that it does not end with the
session or service that started it. The others only for their limits."""

_FREEZE_WITHIN_S = 1.0
_UNLIMITED = 1 << 60  # memory.limit_in_bytes without a limit is just below 2**63


class V1Scope:
    """*directories* maps controllers to the container's cgroup; co-mounted ones share theirs."""

    def __init__(self, directories: dict[str, str]) -> None:
        self._directories = directories

    def fork(self) -> int:
        return os.fork()

    def fork_init(self, kin: Kin) -> tuple[int, int]:
        return fork_init(kin)[:2]

    def enter(self) -> None:
        unified = self._directories.get(UNIFIED)
        for directory in dict.fromkeys(self._directories.values()):
            # A single thread writing 0 to v1's `tasks` spares the kernel the lock that cgroup.procs
            # takes, whose RCU grace period costs up to 20 ms.
            file = "cgroup.procs" if directory == unified else "tasks"
            tree.write(f"{directory}/{file}", "0")

    def kill(self) -> None:
        """Freeze, signal, thaw: nothing can fork meanwhile, and pids cannot be reused."""
        freezer = self._directories.get("freezer")
        if freezer is None:
            _signal_all(self.pids())
            return
        if not tree.pids(freezer):
            return  # the usual case: the end of its pid namespace has killed them all
        self._try_freeze(freezer)
        try:
            _signal_all(tree.pids(freezer))
        finally:
            for cgroup in tree.descendants(freezer):  # the container may have frozen some itself
                tree.write_unless_gone(f"{cgroup}/freezer.state", "THAWED")

    def freeze(self) -> None:
        """Raises RuntimeFailure when a process does not stop in time: it hangs in the kernel."""
        freezer = self._directories.get("freezer")
        if freezer is not None and not self._try_freeze(freezer):
            self.thaw()
            raise RuntimeFailure(
                "the container cannot be paused: a process of it does not stop",
                fix="wait until its pending system calls (often network storage) are done",
            )

    def _try_freeze(self, freezer: str) -> bool:
        deadline = time.monotonic() + _FREEZE_WITHIN_S
        pause_s = 0.00005  # a task in an ordinary system call stops within this
        while time.monotonic() < deadline:
            # writing again is what makes the kernel look at tasks it missed
            tree.write_unless_gone(f"{freezer}/freezer.state", "FROZEN")
            if tree.read(f"{freezer}/freezer.state").strip() in {"FROZEN", ""}:
                return True
            time.sleep(pause_s)
            pause_s = min(0.005, pause_s * 2)
        return False

    def thaw(self) -> None:
        freezer = self._directories.get("freezer")
        if freezer is not None:
            tree.write_unless_gone(f"{freezer}/freezer.state", "THAWED")

    def pids(self) -> tuple[int, ...]:
        return tree.pids(next(iter(self._directories.values())))

    def usage(self) -> Usage:
        def path(controller: str, file: str) -> str:
            return f"{self._directories.get(controller, '')}/{file}"

        memory = tree.read_int(path("memory", "memory.usage_in_bytes"))
        cache = tree.read_keyed(path("memory", "memory.stat")).get("total_inactive_file", 0)
        limit = tree.read_int(path("memory", "memory.limit_in_bytes"))
        read, written = _block_bytes(
            tree.read(path("blkio", "blkio.throttle.io_service_bytes_recursive"))
        )
        return Usage(
            cpu_usage_ns=tree.read_int(path("cpuacct", "cpuacct.usage")),
            memory_bytes=max(0, memory - cache),
            memory_limit_bytes=0 if limit > _UNLIMITED else limit,
            pids=tree.read_int(path("pids", "pids.current")),
            block_read_bytes=read,
            block_write_bytes=written,
            oom_kills=tree.read_keyed(path("memory", "memory.oom_control")).get("oom_kill", 0),
        )

    def destroy(self) -> None:
        for directory in dict.fromkeys(self._directories.values()):
            tree.remove(directory)


class V1Manager:
    """*mounts* maps each usable controller to the mount point of its hierarchy.

    SYSTEMD and UNIFIED may be among them, where systemd uses these hierarchies.
    """

    def __init__(self, mounts: Mapping[str, str]) -> None:
        self._mounts = dict(mounts)

    def create(
        self, name: str, resources: Resources, devices: tuple[Device, ...], *, privileged: bool
    ) -> V1Scope:
        settings = limits_v1.settings(resources, device_number)
        rules = () if privileged else allowed_rules(devices, resources.device_rules)
        path = relative_path(name, resources.cgroup_parent)
        directories = self._directories(path, resources)
        with ExitStack() as undo:
            for directory in dict.fromkeys(directories.values()):
                tree.make(directory)
                undo.callback(tree.remove, directory)
            if self._uses_cpuset(directories):
                _inherit_cpuset(self._mounts["cpuset"], path)
            tree.apply(directories, settings)
            if rules and "devices" in directories:
                tree.write(f"{directories['devices']}/devices.deny", "a")
                for rule in rules:
                    tree.write(f"{directories['devices']}/devices.allow", str(rule))
            undo.pop_all()
        return V1Scope(directories)

    def _uses_cpuset(self, directories: dict[str, str]) -> bool:
        """Is the cpuset hierarchy entered, perhaps only because another is mounted with it?"""
        mount = self._mounts.get("cpuset")
        return any(self._mounts[controller] == mount for controller in directories)

    def find(self, name: str, resources: Resources) -> V1Scope:
        path = relative_path(name, resources.cgroup_parent)
        return V1Scope(self._directories(path, resources))

    def update(self, name: str, resources: Resources) -> V1Scope:
        """Hierarchies that only the new limits need are entered by the processes that there are."""
        path = relative_path(name, resources.cgroup_parent)
        directories = self._directories(path, resources)
        for directory in dict.fromkeys(directories.values()):
            if not os.path.isdir(directory):
                tree.make(directory)
                if directory == directories.get("cpuset"):
                    _inherit_cpuset(self._mounts["cpuset"], path)
                for pid in tree.pids(directories["freezer"]):
                    with contextlib.suppress(ProcessLookupError):
                        tree.write(f"{directory}/cgroup.procs", str(pid))
        present = limits_v1.present_memory_and_swap(directories.get("memory", ""))
        tree.apply(directories, limits_v1.changes(resources, device_number, present_both=present))
        return V1Scope(directories)

    def remove_project(self, project: str) -> None:
        for mount in dict.fromkeys(self._mounts.values()):
            tree.remove_empty(f"{mount}/orchestra/{project}")
            tree.remove_empty(f"{mount}/orchestra")

    def warnings(self, resources: Resources) -> tuple[str, ...]:
        settings = limits_v1.settings(resources, lambda _: (0, 0))
        if not settings:
            return ()
        # the root cgroup lacks some files, as pids.max: look into one below it
        probes = {name: f"{mount}/orchestra" for name, mount in self._mounts.items()}
        try:
            for probe in probes.values():
                tree.make(probe)
            lost = tree.missing(probes, settings)
        finally:
            for probe in probes.values():
                tree.remove_empty(probe)
        return tree.ignored(lost, "this host's cgroup v1 has no control for it")

    def _directories(self, path: str, resources: Resources) -> dict[str, str]:
        limits = limits_v1.changes(resources, lambda _: (0, 0), present_both=0)
        wanted = dict.fromkeys((*_ALWAYS, *(setting.controller for setting in limits)))
        return {
            controller: f"{self._mounts[controller]}/{path}"
            for controller in wanted
            if controller in self._mounts
        }


def _inherit_cpuset(mount: str, path: str) -> None:
    """A new v1 cpuset has no CPUs and admits nobody: give each level those of the one above."""
    above = mount
    for part in path.split("/"):
        below = f"{above}/{part}"
        for file in ("cpuset.cpus", "cpuset.mems"):
            if not tree.read(f"{below}/{file}").strip():
                tree.write(f"{below}/{file}", tree.read(f"{above}/{file}").strip())
        above = below


def _signal_all(pids: tuple[int, ...]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _block_bytes(text: str) -> tuple[int, int]:
    """Bytes read and written, from lines "MAJOR:MINOR Read 4096"."""
    totals = {"Read": 0, "Write": 0}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in totals:
            totals[fields[1]] += int(fields[2])
    return totals["Read"], totals["Write"]
