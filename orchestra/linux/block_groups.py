"""Where ext4 puts what lies in a directory. ioctl_iflags(2), chattr(1)."""

from __future__ import annotations

import contextlib
import fcntl
import struct

_LONG_BYTES = struct.calcsize("l")
_FS_IOC_GETFLAGS = 2 << 30 | _LONG_BYTES << 16 | ord("f") << 8 | 1  # asm-generic/ioctl.h
_FS_IOC_SETFLAGS = 1 << 30 | _LONG_BYTES << 16 | ord("f") << 8 | 2
_FS_TOPDIR_FL = 0x00020000


def spread_subdirectories(directory: int) -> None:
    """Let each subdirectory that is made in *directory* begin in a block group of its own.

    It is the T of chattr(1), for directories whose subdirectories have nothing to do with each
    other. Does nothing on file systems that know no such thing.
    """
    with contextlib.suppress(OSError):
        flags = bytearray(8)
        fcntl.ioctl(directory, _FS_IOC_GETFLAGS, flags)
        (found,) = struct.unpack_from("i", flags)
        if not found & _FS_TOPDIR_FL:
            struct.pack_into("i", flags, 0, found | _FS_TOPDIR_FL)
            fcntl.ioctl(directory, _FS_IOC_SETFLAGS, flags)
