"""A container's root as seen from outside: a descriptor, through which its files are reached.

A running container's is opened through /proc; with it come its volumes and other mounts. Of one
that does not run the root is put together in a forked process with a mount namespace of its own,
which hands over a detached copy: the host never sees a mount, and the files are there as long as
the descriptor is open. open_tree(2), Linux 5.2.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.errors import RuntimeFailure
from orchestra.linux.constants import CLONE_NEWNS, MS_PRIVATE, MS_REC
from orchestra.linux.fds import Fd
from orchestra.linux.mount import clone_tree, mount
from orchestra.linux.namespaces import unshare
from orchestra.linux.procfs import is_running, mountinfo_path
from orchestra.linux.safe_open import safe_open
from orchestra.runtime import channel as sync
from orchestra.runtime.failure import Failure, decode, failure_of
from orchestra.runtime.mountops import Overlay, RootDirectory

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from typing import NoReturn

    from orchestra.model.rootfs import Rootfs
    from orchestra.runtime.mountops import MountOp

_OF_THE_KERNEL = frozenset(
    {"proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "securityfs", "debugfs", "tracefs"}
)
FileId = tuple[int, int]
"""Device and inode."""


def running_root(pid: int, ticks: int) -> Fd | None:
    """The root of the container whose first process is *pid*; None when that has ended."""
    try:
        root = Fd(os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError:
        return None
    if is_running(pid, ticks):
        return root
    root.close()
    return None


def kernel_mounts(pid: int, root: int) -> frozenset[FileId]:
    """The directories of a running container that hold no files: /proc, /sys, /dev and so on."""
    found = set()
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            place = mountinfo_path(left.split(" ")[4])
            if right.partition(" ")[0] in _OF_THE_KERNEL or place == "/dev":
                try:
                    with safe_open(root, place) as mounted:
                        status = os.fstat(mounted.fileno())
                except OSError:
                    continue
                found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def readable_layers(rootfs: Rootfs, options: str) -> tuple[Overlay, ...]:
    """The overlays of *rootfs*, only to read: they may be in use by the container.

    What it has written is the topmost of the lower layers, since no two overlays may write to one
    directory.
    """
    return tuple(
        Overlay(each.target, (each.upper, *each.lower), "", "", options)
        if each.lower
        else Overlay(each.target, (), each.upper, "")
        for each in rootfs.overlays
    )


def image_of(rootfs: Rootfs, options: str) -> tuple[MountOp, ...]:
    """The lower layers of *rootfs* alone; an overlay of one layer is that layer."""
    return tuple(
        Overlay(each.target, each.lower, "", "", options)
        if len(each.lower) > 1
        else Overlay(each.target, (), each.lower[0], "")
        for each in rootfs.overlays
    )


def assembled_root(operations: Sequence[MountOp], place: str) -> Fd:
    """The root that *operations* make, beginning with an overlay, on the directory *place*.

    The caller has no threads. Raises RuntimeFailure.
    """
    ours, theirs = sync.open_channel()
    with ours:
        pid = os.fork()
        if pid == 0:
            ours.close()
            _assemble(operations, place, theirs)
        theirs.close()
        try:
            kind, text, fds = sync.receive(ours, wait=True)
        finally:
            os.waitpid(pid, 0)
    if kind == sync.READY and fds:
        return Fd(fds[0])
    failure = decode(text) if kind == sync.FAILED else Failure(0, "put its files together")
    reason = failure.text or os.strerror(failure.errno)
    raise RuntimeFailure(f"cannot {failure.step}: {reason}", fix=failure.fix)


def _assemble(operations: Sequence[MountOp], place: str, channel: socket.socket) -> NoReturn:
    step = "leave the host's mounts"
    code = 1
    try:
        unshare(CLONE_NEWNS)
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        root = RootDirectory(place, place)
        for operation in operations:
            step = operation.describe()
            operation.apply(root)
        with clone_tree(place, recursive=True) as tree:
            sync.send(channel, sync.READY, fds=(tree.fileno(),))
        code = 0
    except Exception as exc:  # noqa: BLE001 (the root of a forked process)
        sync.send_failure(channel, failure_of(exc, step))
    os._exit(code)
