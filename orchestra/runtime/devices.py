"""A container's /dev: the nodes that every container has, and those it was given.

The tmpfs at /dev is new, so nothing in it is anybody else's yet; it is nevertheless opened by
`safe_open` like every other path below the root.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from orchestra.linux import constants as c
from orchestra.linux.mount import mount
from orchestra.linux.safe_open import Create, safe_open
from orchestra.named import NamedTuple
from orchestra.runtime.failure import BEFORE_EXEC, Failure, StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.runtime.mountops import RootDirectory

DEFAULT_NODES: Final = (
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
)
LINKS: Final = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("core", "/proc/kcore"),
    ("ptmx", "pts/ptmx"),
)
_NOT_DEVICES = frozenset({"pts", "shm", "fd", "mqueue", "console", ".udev", "hugepages"})
_MAX_DEPTH = 8


class DefaultDevices(NamedTuple):
    """The nodes and links of an empty /dev."""

    def describe(self) -> str:
        return "make the nodes in /dev"

    def apply(self, root: RootDirectory) -> None:
        with safe_open(root.fd, "/dev") as directory:
            here = directory.fileno()
            for name, major, minor in DEFAULT_NODES:
                _make_node(here, name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
            for name, text in LINKS:
                if name == "core" and not os.path.exists(text):
                    continue  # a kernel without CONFIG_PROC_KCORE; runc does the same
                os.symlink(text, name, dir_fd=here)
            null = os.open("null", os.O_PATH | os.O_CLOEXEC, dir_fd=here)
        root.null = f"/proc/self/fd/{null}"  # open until the execve


class HostDevice(NamedTuple):
    """The host's device *source*, or all of those in the directory *source*, at *target*."""

    source: str
    target: str
    mode: int | None = None  # None, here and below: as the host's
    uid: int | None = None
    gid: int | None = None

    def describe(self) -> str:
        return f"add the device {self.source}"

    def apply(self, root: RootDirectory) -> None:
        try:
            info = os.stat(self.source)
        except FileNotFoundError as exc:
            text = f"the host has no {self.source}"
            fix = "check the path under devices:, or load the driver that makes it"
            raise StepFailed(
                Failure(BEFORE_EXEC, self.describe(), errno.ENOENT, self.source, text, fix)
            ) from exc
        if _is_device(info):
            _copy_device(root, info, self.source, self.target)
            self._give(root)
            return
        found = False
        for path, child in _devices_below(self.source, _MAX_DEPTH):
            _copy_device(root, child, path, self.target + path[len(self.source) :])
            found = True
        if not found:
            text = f"{self.source} is no device"
            raise StepFailed(
                Failure(BEFORE_EXEC, self.describe(), errno.ENODEV, self.source, text, "")
            )

    def _give(self, root: RootDirectory) -> None:
        if (self.mode, self.uid, self.gid) == (None, None, None):
            return
        with safe_open(root.fd, self.target) as node:
            owner = [-1 if each is None else each for each in (self.uid, self.gid)]
            os.chown(node.path, *owner)
            if self.mode is not None:
                os.chmod(node.path, self.mode)


class AllHostDevices(NamedTuple):
    """Every device of the host's /dev, for a privileged container."""

    def describe(self) -> str:
        return "add the host's devices"

    def apply(self, root: RootDirectory) -> None:
        for path, info in _devices_below("/dev", _MAX_DEPTH):
            _copy_device(root, info, path, path)


def _devices_below(directory: str, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    for entry in os.scandir(directory):
        if entry.name in _NOT_DEVICES:
            continue
        if entry.is_dir(follow_symlinks=False):
            if depth:
                yield from _devices_below(entry.path, depth - 1)
            continue
        info = entry.stat(follow_symlinks=False)
        if _is_device(info):
            yield entry.path, info


def _is_device(info: os.stat_result) -> bool:
    return stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode)


def _copy_device(root: RootDirectory, info: os.stat_result, source: str, target: str) -> None:
    directory, name = os.path.split(target.rstrip("/"))
    with safe_open(root.fd, directory, create=Create.DIRECTORY) as parent:
        try:
            _make_node(parent.fileno(), name, info.st_mode, info.st_rdev)
        except FileExistsError:
            return
        except PermissionError:  # mknod is refused in a user namespace: bind the host's node
            with safe_open(root.fd, target, create=Create.FILE) as node:
                mount(source, node.path, None, c.MS_BIND)
            return
        os.chown(name, info.st_uid, info.st_gid, dir_fd=parent.fileno(), follow_symlinks=False)


def _make_node(directory: int, name: str, mode: int, device: int) -> None:
    """mknod(2) with exactly *mode*."""
    before = os.umask(0)
    try:
        os.mknod(name, mode, device, dir_fd=directory)
    finally:
        os.umask(before)
