"""CgroupManager over cgroup v2: one directory per container."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.cgroup import limits_v2, tree
from orchestra.cgroup.base import Usage
from orchestra.cgroup.device_program import compile_rules
from orchestra.cgroup.devices import allowed_rules, device_number
from orchestra.cgroup.settings import relative_path
from orchestra.errors import RuntimeFailure
from orchestra.linux import bpf
from orchestra.linux.clone import fork_init, fork_inside

if TYPE_CHECKING:
    from orchestra.cgroup.devices import DeviceRule
    from orchestra.cgroup.settings import Setting
    from orchestra.linux.clone import Kin
    from orchestra.model.container import Device, Resources

_FREEZE_WITHIN_S = 1.0
_ATTEMPTS = 5


class V2Scope:
    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._is_inside = False  # in a child of `fork`

    def fork(self) -> int:
        pid, is_inside = fork_inside(self._directory)
        self._is_inside = is_inside and pid == 0
        return pid

    def fork_init(self, kin: Kin) -> tuple[int, int]:
        child = fork_init(kin, self._directory)
        self._is_inside = child.is_inside and child.pid == 0
        return child.pid, child.pidfd

    def enter(self) -> None:
        if not self._is_inside:
            tree.write(f"{self._directory}/cgroup.procs", "0")

    def kill(self) -> None:
        try:
            tree.write(f"{self._directory}/cgroup.kill", "1")
        except OSError as exc:
            if exc.errno not in {errno.ENOENT, errno.ENODEV, errno.EACCES}:
                raise
            self._kill_each()  # before Linux 5.14, or the cgroup is gone

    def _kill_each(self) -> None:
        """Frozen processes fork no more; SIGKILL ends them all the same."""
        self._try_freeze()
        try:
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        finally:
            self.thaw()

    def freeze(self) -> None:
        """Raises RuntimeFailure when a process does not stop in time: it hangs in the kernel."""
        if not self._try_freeze():
            self.thaw()
            raise RuntimeFailure(
                "the container cannot be paused: a process of it does not stop",
                fix="wait until its pending system calls (often network storage) are done",
            )

    def _try_freeze(self) -> bool:
        tree.write_unless_gone(f"{self._directory}/cgroup.freeze", "1")
        deadline = time.monotonic() + _FREEZE_WITHIN_S
        pause_s = 0.00005  # a task in an ordinary system call stops within this
        while time.monotonic() < deadline:
            if tree.read_keyed(f"{self._directory}/cgroup.events").get("frozen", 1):
                return True
            time.sleep(pause_s)
            pause_s = min(0.005, pause_s * 2)
        return False

    def thaw(self) -> None:
        tree.write_unless_gone(f"{self._directory}/cgroup.freeze", "0")

    def pids(self) -> tuple[int, ...]:
        return tree.pids(self._directory)

    def usage(self) -> Usage:
        at = self._directory
        memory = tree.read_int(f"{at}/memory.current")
        cache = tree.read_keyed(f"{at}/memory.stat").get("inactive_file", 0)
        read, written = _io_bytes(tree.read(f"{at}/io.stat"))
        return Usage(
            cpu_usage_ns=tree.read_keyed(f"{at}/cpu.stat").get("usage_usec", 0) * 1000,
            memory_bytes=max(0, memory - cache),
            memory_limit_bytes=tree.read_int(f"{at}/memory.max"),
            pids=tree.read_int(f"{at}/pids.current"),
            block_read_bytes=read,
            block_write_bytes=written,
            oom_kills=tree.read_keyed(f"{at}/memory.events").get("oom_kill", 0),
        )

    def destroy(self) -> None:
        tree.remove(self._directory)


class V2Manager:
    """*root* is the topmost cgroup that is ours to divide, usually the mount point.

    *controllers* are those that it offers (cgroup.controllers). Without *limits_devices* access to
    devices is left to file permissions: a plain user may attach no program, and has no right to
    make or open device nodes that it could not on the host.
    """

    def __init__(
        self, root: str, controllers: frozenset[str], *, limits_devices: bool = True
    ) -> None:
        self._root = root
        self._controllers = controllers
        self._limits_devices = limits_devices

    def create(
        self, name: str, resources: Resources, devices: tuple[Device, ...], *, privileged: bool
    ) -> V2Scope:
        settings = limits_v2.settings(resources, device_number)
        rules = () if privileged else allowed_rules(devices, resources.device_rules)
        path = relative_path(name, resources.cgroup_parent)
        wanted = (*limits_v2.CONTROLLERS, *(setting.controller for setting in settings))
        directory = self._make(path, frozenset(wanted) & self._controllers)
        with ExitStack() as undo:
            undo.callback(tree.remove, directory)
            tree.apply(dict.fromkeys(self._controllers, directory), settings)
            if rules and self._limits_devices:
                _confine_devices(directory, rules)
            undo.pop_all()
        return V2Scope(directory)

    def find(self, name: str, resources: Resources) -> V2Scope:
        return V2Scope(f"{self._root}/{relative_path(name, resources.cgroup_parent)}")

    def update(self, name: str, resources: Resources) -> V2Scope:
        settings = limits_v2.changes(resources, device_number)
        controllers = frozenset(setting.controller for setting in settings) & self._controllers
        directory = self._make(relative_path(name, resources.cgroup_parent), controllers)
        tree.apply(dict.fromkeys(self._controllers, directory), settings)
        return V2Scope(directory)

    def remove_project(self, project: str) -> None:
        tree.remove_empty(f"{self._root}/orchestra/{project}")
        tree.remove_empty(f"{self._root}/orchestra")

    def warnings(self, resources: Resources) -> tuple[str, ...]:
        settings = limits_v2.settings(resources, lambda _: (0, 0))
        lost = (*limits_v2.unsupported(resources), *self._missing(settings))
        return tree.ignored(lost, "cgroup v2 of this host has no control for it")

    def _missing(self, settings: tuple[Setting, ...]) -> tuple[str, ...]:
        if not settings:
            return ()
        # the root cgroup has no control files: look into one below it
        controllers = frozenset(setting.controller for setting in settings) & self._controllers
        probe = self._make("orchestra", controllers)
        try:
            return tree.missing(dict.fromkeys(controllers, probe), settings)
        finally:
            tree.remove_empty(probe)

    def _make(self, path: str, controllers: frozenset[str]) -> str:
        """The directory of *path*, made, with *controllers* handed down to it from the root.

        The levels above are shared and go when empty, perhaps just now: hence the new attempts.
        """
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(FileNotFoundError):
                return self._try_make(path, controllers)
        return self._try_make(path, controllers)

    def _try_make(self, path: str, controllers: frozenset[str]) -> str:
        above = self._root
        for part in path.split("/"):
            _enable(above, controllers, is_root=above == self._root)
            above = f"{above}/{part}"
            with contextlib.suppress(FileExistsError):
                os.mkdir(above)
        return above


def _enable(directory: str, controllers: frozenset[str], *, is_root: bool) -> None:
    absent = controllers - set(tree.read(f"{directory}/cgroup.subtree_control").split())
    if not absent:
        return
    try:
        _hand_down(directory, absent)
    except OSError as exc:
        if exc.errno == errno.EBUSY and is_root:
            # The root of a cgroup namespace, or of a delegated part, may not have processes and
            # controllers for its children at once, unlike the real root. So they move to a leaf,
            # as in every nested Docker.
            _evacuate(directory)
            _hand_down(directory, absent)
        elif exc.errno in {errno.EINVAL, errno.EOPNOTSUPP}:
            _hand_down_each(directory, absent)
        else:
            raise


def _hand_down(directory: str, controllers: frozenset[str]) -> None:
    change = " ".join(f"+{controller}" for controller in sorted(controllers))
    tree.write(f"{directory}/cgroup.subtree_control", change)


def _hand_down_each(directory: str, controllers: frozenset[str]) -> None:
    """One is refused (cpu, while a real-time process runs): the others are of use all the same.

    The limits that it has are then missing, and `warnings` tells of them.
    """
    for controller in controllers:
        with contextlib.suppress(OSError):
            _hand_down(directory, frozenset({controller}))


def _evacuate(directory: str) -> None:
    leaf = f"{directory}/init"
    with contextlib.suppress(FileExistsError):
        os.mkdir(leaf)
    for _ in range(10):  # processes that are forked meanwhile need another round
        inside = tree.read(f"{directory}/cgroup.procs").split()
        if not inside:
            return
        for pid in inside:
            try:
                tree.write(f"{leaf}/cgroup.procs", pid)
            except OSError as exc:
                if exc.errno != errno.ESRCH:
                    raise


def _confine_devices(directory: str, rules: tuple[DeviceRule, ...]) -> None:
    try:
        with bpf.load_device_program(compile_rules(rules)) as program:
            bpf.attach_to_cgroup(program, directory)
    except OSError as exc:
        raise RuntimeFailure(
            f"device access cannot be limited: {exc}",
            fix="this needs a kernel with CONFIG_CGROUP_BPF and CAP_BPF or CAP_SYS_ADMIN; "
            "a privileged container is started without the limit",
        ) from exc


def _io_bytes(text: str) -> tuple[int, int]:
    """Bytes read and written over all devices, from io.stat."""
    totals = {"rbytes": 0, "wbytes": 0}
    for field in text.split():
        key, _, value = field.partition("=")
        if key in totals:
            totals[key] += int(value)
    return totals["rbytes"], totals["wbytes"]
