"""File descriptors: an owner for one, and closing them all before an exec."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
from typing import TYPE_CHECKING

from orchestra.linux.constants import CLOSE_RANGE_CLOEXEC
from orchestra.linux.libc import bind_syscall

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

_LAST = 0xFFFFFFFF
_close_range = bind_syscall("close_range", ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)


class Fd:
    """Owns one file descriptor; closing twice is harmless, `detach` hands it over."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """The descriptor, or -1 when closed or handed over."""
        return self._fd

    def detach(self) -> int:
        """Give the descriptor to the caller, who closes it."""
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Fd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> str:
        """A name for what it refers to, for calls that take only paths; needs /proc."""
        return f"/proc/self/fd/{self._fd}"


def close_on_exec_from(first: int) -> None:
    """Let execve close every descriptor from *first* on. close_range(2), Linux 5.11; or /proc."""
    if _close_range(first, _LAST, CLOSE_RANGE_CLOEXEC) == 0:
        return
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd >= first:
            with contextlib.suppress(OSError):  # the listing's own descriptor is gone by now
                fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)


def close_all_but(kept: Collection[int]) -> None:
    """Close every descriptor above 2 that is not in *kept*, as a forked child should."""
    first = 3
    for fd in sorted({fd for fd in kept if fd > 2}):
        _close_between(first, fd - 1)
        first = fd + 1
    _close_between(first, _LAST)


def _close_between(first: int, last: int) -> None:
    if first <= last and _close_range(first, last, 0) != 0:
        os.closerange(first, min(last + 1, os.sysconf("SC_OPEN_MAX")))
