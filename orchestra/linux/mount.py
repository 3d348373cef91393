"""mount(2) and its kin: thin, with the path in the error."""

from __future__ import annotations

import ctypes
import errno
import os

from orchestra.linux.constants import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_RECURSIVE,
    MOUNT_ATTR_RDONLY,
    MOVE_MOUNT_F_EMPTY_PATH,
    MOVE_MOUNT_T_SYMLINKS,
    MS_BIND,
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_RELATIME,
    MS_REMOUNT,
    OPEN_TREE_CLOEXEC,
    OPEN_TREE_CLONE,
)
from orchestra.linux.fds import Fd
from orchestra.linux.libc import bind, bind_syscall, check, fsencode


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


_mount = bind(
    "mount",
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)
_umount2 = bind("umount2", ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
_pivot_root = bind_syscall("pivot_root", ctypes.c_char_p, ctypes.c_char_p)
_mount_setattr = bind_syscall(
    "mount_setattr",
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_uint,
    ctypes.POINTER(_MountAttr),
    ctypes.c_size_t,
)
_open_tree = bind_syscall("open_tree", ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_move_mount = bind_syscall(
    "move_mount", ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint
)

# statvfs(3) reports these under the values that mount(2) takes; the kernel's ST_RELATIME is not
# MS_RELATIME.
_KEPT_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME
_ST_RELATIME = 4096


def mount(source: str | None, target: str, fstype: str | None, flags: int, data: str = "") -> None:
    """Mount, or change a mount: see the man page. Raises OSError with *target*."""
    result = _mount(
        fsencode(source),
        fsencode(target),
        fsencode(fstype),
        flags,
        os.fsencode(data) if data else None,
    )
    check(result, "mount", target)


def umount(target: str, flags: int = 0) -> None:
    """umount2(2). Raises OSError with *target*."""
    check(_umount2(fsencode(target), flags), "umount2", target)


def pivot_root(new_root: str, put_old: str) -> None:
    """Make *new_root* the root mount. Raises OSError with *new_root*."""
    check(_pivot_root(fsencode(new_root), fsencode(put_old)), "pivot_root", new_root)


def make_read_only(target: str, *, recursive: bool) -> None:
    """Make the mount at *target* read-only, keeping its other flags; raises OSError.

    mount_setattr(2), Linux 5.12. Before that mount(2), which cannot do it recursively: mounts
    below *target* then stay as they are, as with every engine on such a kernel.
    """
    attr = _MountAttr(attr_set=MOUNT_ATTR_RDONLY)
    flags = AT_RECURSIVE if recursive else 0
    result = _mount_setattr(
        AT_FDCWD, fsencode(target), flags, ctypes.byref(attr), ctypes.sizeof(attr)
    )
    if result == 0:
        return
    if ctypes.get_errno() != errno.ENOSYS:
        check(result, "mount_setattr", target)
    now = os.statvfs(target).f_flag
    kept = (now & _KEPT_FLAGS) | (MS_RELATIME if now & _ST_RELATIME else 0)
    mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def clone_tree(path: str, *, recursive: bool, dir_fd: int = AT_FDCWD) -> Fd:
    """A detached copy of the mount at *path*, in the same peer group. open_tree(2), Linux 5.2."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (AT_RECURSIVE if recursive else 0)
    if not path:
        flags |= AT_EMPTY_PATH
    return Fd(check(_open_tree(dir_fd, fsencode(path), flags), "open_tree", path))


def attach_tree(tree: int, target: str) -> None:
    """Mount the detached *tree* on *target*, following links. move_mount(2), Linux 5.2."""
    flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS
    result = _move_mount(tree, b"", AT_FDCWD, fsencode(target), flags)
    check(result, "move_mount", target)
