"""Opening a path below a directory that somebody else controls, as if that directory were "/".

Symbolic links, absolute ones and "..", are followed, but never out of the root: openat2(2) with
RESOLVE_IN_ROOT (Linux 5.6), or a walk that opens one component at a time without following links
and keeps the stack of directories it came through. The walk also makes what is missing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from enum import Enum

from orchestra.linux.constants import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS
from orchestra.linux.fds import Fd
from orchestra.linux.libc import bind_syscall, fsencode

MAX_LINKS = 40  # as the kernel


class Create(Enum):
    """What to make of a path's last component when it is missing (and directories above it)."""

    NOTHING = "nothing"
    DIRECTORY = "directory"
    FILE = "file"


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_openat2 = bind_syscall(
    "openat2", ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_OpenHow), ctypes.c_size_t
)


def safe_open(root: int, path: str, *, create: Create = Create.NOTHING) -> Fd:
    """*path* below the directory *root*, opened with O_PATH; missing parts are made as asked.

    Raises OSError: FileNotFoundError when it is missing and not to be made, ELOOP for too many
    links.
    """
    how = _OpenHow(
        flags=os.O_PATH | os.O_CLOEXEC, mode=0, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
    )
    result = _openat2(root, fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
    if result >= 0:
        return Fd(result)
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EAGAIN, errno.EPERM):  # EPERM: a seccomp filter of old
        return walk_open(root, path, create=create)
    if code == errno.ENOENT and create is not Create.NOTHING:
        return walk_open(root, path, create=create)
    raise OSError(code, f"openat2: {os.strerror(code)}", path)


def walk_open(root: int, path: str, *, create: Create = Create.NOTHING) -> Fd:
    """As `safe_open`, without openat2(2)."""
    walk = _Walk(root, path, create)
    try:
        return walk.run()
    finally:
        walk.close()


class _Walk:
    """The walk's state: what is still to resolve, and the directories that lead to here."""

    def __init__(self, root: int, path: str, create: Create) -> None:
        self._path = path
        self._create = create
        self._pending = _components(path)[::-1]
        self._stack = [os.dup(root)]
        self._links = 0

    def run(self) -> Fd:
        while self._pending:
            name = self._pending.pop()
            if name == "..":
                if len(self._stack) > 1:
                    os.close(self._stack.pop())
                continue
            fd = self._open(name)
            if stat.S_ISLNK(os.fstat(fd).st_mode):
                os.close(fd)
                self._follow(name)
            else:
                self._stack.append(fd)
        return Fd(self._stack.pop())

    def close(self) -> None:
        while self._stack:
            os.close(self._stack.pop())

    def _open(self, name: str) -> int:
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        here = self._stack[-1]
        try:
            return os.open(name, flags, dir_fd=here)
        except FileNotFoundError as exc:
            if self._create is Create.NOTHING:
                raise FileNotFoundError(exc.errno, exc.strerror, self._path) from exc
        self._make(name, here)
        return os.open(name, flags, dir_fd=here)

    def _make(self, name: str, here: int) -> None:
        try:
            if self._pending or self._create is Create.DIRECTORY:
                os.mkdir(name, 0o755, dir_fd=here)
            else:
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
                os.close(os.open(name, flags, 0o644, dir_fd=here))
        except FileExistsError:
            pass  # somebody else made it meanwhile
        except OSError as exc:
            raise OSError(exc.errno, exc.strerror, self._path) from exc

    def _follow(self, name: str) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._path)
        link = os.readlink(name, dir_fd=self._stack[-1])
        if link.startswith("/"):
            while len(self._stack) > 1:
                os.close(self._stack.pop())
        self._pending.extend(_components(link)[::-1])


def _components(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
