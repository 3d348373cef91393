"""Writing one file system to its disk. syncfs(2), Linux 2.6.39."""

from __future__ import annotations

import ctypes

from orchestra.linux.libc import bind, check

_syncfs = bind("syncfs", ctypes.c_int, ctypes.c_int)


def syncfs(fd: int) -> None:
    """Write everything of the file system of *fd* to the disk. Raises OSError, as EIO, ENOSPC."""
    check(_syncfs(fd), "syncfs")
