"""pidfds: a process named by a file descriptor, which no other process can come to mean."""

from __future__ import annotations

import ctypes
import os
import select
import signal

from orchestra.linux.fds import Fd
from orchestra.linux.libc import bind_syscall, check

_pidfd_getfd = bind_syscall("pidfd_getfd", ctypes.c_int, ctypes.c_int, ctypes.c_uint)


def pidfd_open(pid: int) -> Fd:
    """A pidfd for *pid*. Raises OSError(ESRCH) if it is gone. Linux 5.3."""
    return Fd(os.pidfd_open(pid))


def pidfd_send_signal(pidfd: int, signal_number: int) -> None:
    """Send a signal; raises ProcessLookupError if the process is gone."""
    signal.pidfd_send_signal(pidfd, signal_number)


def pidfd_getfd(pidfd: int, fd: int) -> Fd:
    """A duplicate of descriptor *fd* of the process. Linux 5.6."""
    return Fd(check(_pidfd_getfd(pidfd, fd, 0), "pidfd_getfd", fd))


def has_exited(pidfd: int, *, timeout_s: float = 0.0) -> bool:
    """Has the process exited, at the latest in *timeout_s* seconds? A zombie has."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))
