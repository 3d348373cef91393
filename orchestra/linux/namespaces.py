"""unshare(2), setns(2), and the names that a UTS namespace holds."""

from __future__ import annotations

import ctypes
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from orchestra.linux.constants import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from orchestra.linux.fds import Fd
from orchestra.linux.libc import bind, check

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE_FLAGS: Final = {
    "user": CLONE_NEWUSER,
    "cgroup": CLONE_NEWCGROUP,
    "ipc": CLONE_NEWIPC,
    "uts": CLONE_NEWUTS,
    "net": CLONE_NEWNET,
    "pid": CLONE_NEWPID,
    "mnt": CLONE_NEWNS,
}
"""File name in /proc/PID/ns -> flag, in the order in which they must be joined: mnt last, since
afterwards /proc is the container's."""

_SIOCGSKNS = 0x894C

_unshare = bind("unshare", ctypes.c_int, ctypes.c_int)
_setns = bind("setns", ctypes.c_int, ctypes.c_int, ctypes.c_int)
_sethostname = bind("sethostname", ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
_setdomainname = bind("setdomainname", ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)


def unshare(flags: int) -> None:
    """Leave the namespaces in *flags* for new ones; the pid one counts for children only."""
    check(_unshare(flags), "unshare")


def setns(fd: int, flags: int) -> None:
    """Join the namespace *fd* of the kind in *flags*, or with a pidfd all kinds in *flags*.

    Raises OSError. setns(2); pidfds since Linux 5.8.
    """
    check(_setns(fd, flags), "setns")


def open_namespace(pid: int, kind: str) -> Fd:
    """The namespace *kind* ("net", "mnt" …) of *pid*. Raises OSError, also when *pid* is gone."""
    return Fd(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC))


@contextmanager
def network_namespace_of(pid: int) -> Iterator[None]:
    """The calling thread is in the network namespace of *pid*. Raises OSError, when it is gone."""
    with open_namespace(pid, "net") as theirs, _visiting(theirs):
        yield


@contextmanager
def network_namespace_behind(socket_fd: int) -> Iterator[None]:
    """The same for the namespace of a socket, which outlives its processes. socket(7), Linux 4.9.

    Raises OSError.
    """
    with Fd(fcntl.ioctl(socket_fd, _SIOCGSKNS)) as theirs, _visiting(theirs):
        yield


@contextmanager
def _visiting(theirs: Fd) -> Iterator[None]:
    with open_namespace(os.getpid(), "net") as ours:
        setns(theirs.fileno(), CLONE_NEWNET)
        try:
            yield
        finally:
            setns(ours.fileno(), CLONE_NEWNET)


def sethostname(name: str) -> None:
    data = name.encode()
    check(_sethostname(data, len(data)), "sethostname", name)


def setdomainname(name: str) -> None:
    data = name.encode()
    check(_setdomainname(data, len(data)), "setdomainname", name)
