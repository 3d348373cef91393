"""The exit status of a process that is somebody else's child: of a zombie, and of a reaped one."""

from __future__ import annotations

import fcntl
import struct

_INFO = struct.Struct("QQ11Ii")  # struct pidfd_info, its first version: 64 bytes
_PIDFD_GET_INFO = (3 << 30) | (_INFO.size << 16) | (0xFF << 8) | 11
_PIDFD_INFO_EXIT = 1 << 3


def exit_status(pid: int, ticks: int, pidfd: int) -> int | None:
    """The wait status of the ended process (*pid*, *ticks*); None when nobody knows it any more.

    *pidfd*, if not -1, refers to it and tells also when it has been reaped.
    """
    status = _zombie_status(pid, ticks)
    if status is None and pidfd >= 0:
        status = _reaped_status(pidfd)
    return status


def _zombie_status(pid: int, ticks: int) -> int | None:
    """From /proc/PID/stat: field 3 state, 22 start, 52 exit code. proc_pid_stat(5), Linux 3.5."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if len(fields) < 50 or fields[0] != b"Z" or int(fields[19]) != ticks:
        return None
    return int(fields[49])


def _reaped_status(pidfd: int) -> int | None:
    """PIDFD_GET_INFO; Linux 6.15, include/uapi/linux/pidfd.h; older kernels refuse the ioctl."""
    info = bytearray(_INFO.size)
    struct.pack_into("Q", info, 0, _PIDFD_INFO_EXIT)
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, info)
    except OSError:
        return None
    fields = _INFO.unpack(info)
    return fields[-1] if fields[0] & _PIDFD_INFO_EXIT else None
