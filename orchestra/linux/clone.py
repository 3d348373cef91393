"""fork(2) as clone3(2) can do it: straight into a cgroup (Linux 5.7) or a new pid namespace.

A process that moves itself by writing to cgroup.procs takes a lock that is made for reading; when
nobody has written for a while the kernel waits for an RCU grace period first: 11 ms, measured. A
process that is born in its cgroup does not.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
from enum import Enum
from typing import Final

from orchestra.linux.constants import CLONE_NEWPID
from orchestra.linux.fds import Fd
from orchestra.named import NamedTuple

CLONE_INTO_CGROUP: Final = 0x200000000
CLONE_PIDFD: Final = 0x00001000
CLONE_PARENT: Final = 0x00008000
CLONE_CHILD_CLEARTID: Final = 0x00200000
CLONE_CHILD_SETTID: Final = 0x01000000
PR_GET_TID_ADDRESS: Final = 40
_SYS_CLONE3: Final = 435  # on every architecture

# With the interpreter's lock held throughout: the child goes on in this very state.
_LIBC = ctypes.PyDLL(None, use_errno=True)
_clone3 = _LIBC["syscall"]
_clone3.argtypes = (ctypes.c_long, ctypes.c_char_p, ctypes.c_size_t)
_clone3.restype = ctypes.c_long
_prctl = _LIBC["prctl"]
_prctl.argtypes = (ctypes.c_int, ctypes.POINTER(ctypes.c_ulong))


def fork_inside(cgroup: str) -> tuple[int, bool]:
    """Fork a process with one thread: os.fork()'s answer, and whether the child is in *cgroup*.

    *cgroup* is the path of a directory of a v2 hierarchy. Where the child cannot be born there, for
    whatever reason, it is born beside the caller: writing to cgroup.procs then says what is wrong.
    """
    try:
        with Fd(os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as directory:
            return fork_into(directory.fileno()), True
    except OSError:
        return os.fork(), False


class Kin(Enum):
    """What a forked process is to the caller."""

    CHILD = "child"
    SIBLING = "sibling"  # a child of the caller's parent


class Init(NamedTuple):
    """What `fork_init` gives: in the child, pid is 0 and pidfd -1."""

    pid: int
    pidfd: int
    is_inside: bool  # in the cgroup that was asked for


def fork_init(kin: Kin, cgroup: str = "") -> Init:
    """Fork the first process of a new pid namespace.

    As in `fork_inside` it is born in the v2 *cgroup* where that can be. A sibling's end is told to
    the common parent, by the signal that the caller's own end will send. Raises OSError in the
    caller only: ENOSYS (see `fork_into`), EPERM, EINVAL for a sibling of the first process of a pid
    namespace.
    """
    flags = CLONE_PIDFD | CLONE_NEWPID | (CLONE_PARENT if kin is Kin.SIBLING else 0)
    if cgroup:
        try:
            with Fd(os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as directory:
                into = directory.fileno()
                return Init(*_clone(flags | CLONE_INTO_CGROUP, into), is_inside=True)
        except OSError:
            pass  # entering it will say what is wrong
    return Init(*_clone(flags), is_inside=False)


def fork_into(cgroup: int) -> int:
    """Like os.fork() of a process with one thread; the child is in the v2 *cgroup* (an open fd).

    Raises OSError in the parent only: ENOSYS where it is not to be had, which includes the seccomp
    filter of a container around us, EBUSY when the cgroup may hold no process.
    """
    return _clone(CLONE_INTO_CGROUP, cgroup)[0]


def _clone(flags: int, cgroup: int = 0) -> tuple[int, int]:
    """(pid, pidfd or -1); (0, -1) in the child."""
    thread_id = ctypes.c_ulong()
    pidfd = ctypes.c_int(-1)
    if _prctl(PR_GET_TID_ADDRESS, ctypes.byref(thread_id)) == 0:
        # libc keeps the thread's id there; its own fork lets the kernel refresh it likewise
        flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID
    pidfd_at = ctypes.addressof(pidfd) if flags & CLONE_PIDFD else 0
    exit_signal = 0 if flags & CLONE_PARENT else signal.SIGCHLD  # a sibling's is the caller's
    arguments = struct.pack(
        "=11Q", flags, pidfd_at, thread_id.value, 0, exit_signal, 0, 0, 0, 0, 0, cgroup
    )
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _clone3(_SYS_CLONE3, arguments, len(arguments))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0, -1
    failure = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(failure, f"clone3: {os.strerror(failure or errno.EIO)}")
    return int(pid), pidfd.value
