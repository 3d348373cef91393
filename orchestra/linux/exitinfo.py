"""PIDFD_GET_INFO: the exit status of a process that somebody else has reaped."""

from __future__ import annotations

import fcntl
import struct

_INFO = struct.Struct("QQ11Ii")  # struct pidfd_info, its first version: 64 bytes
_PIDFD_GET_INFO = (3 << 30) | (_INFO.size << 16) | (0xFF << 8) | 11
_PIDFD_INFO_EXIT = 1 << 3


def exit_status(pidfd: int) -> int | None:
    """The wait status of *pidfd*'s reaped process; None when the kernel keeps none.

    Linux 6.15, include/uapi/linux/pidfd.h; older kernels refuse the ioctl.
    """
    info = bytearray(_INFO.size)
    struct.pack_into("Q", info, 0, _PIDFD_INFO_EXIT)
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, info)
    except OSError:
        return None
    fields = _INFO.unpack(info)
    return fields[-1] if fields[0] & _PIDFD_INFO_EXIT else None
