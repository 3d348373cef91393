"""fork(2) straight into a cgroup: clone3(2) with CLONE_INTO_CGROUP, Linux 5.7.

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
from typing import Final

from orchestra.linux.fds import Fd

CLONE_INTO_CGROUP: Final = 0x200000000
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


def fork_into(cgroup: int) -> int:
    """Like os.fork() of a process with one thread; the child is in the v2 *cgroup* (an open fd).

    Raises OSError in the parent only: ENOSYS where it is not to be had, which includes the seccomp
    filter of a container around us, EBUSY when the cgroup may hold no process.
    """
    thread_id = ctypes.c_ulong()
    flags = CLONE_INTO_CGROUP
    if _prctl(PR_GET_TID_ADDRESS, ctypes.byref(thread_id)) == 0:
        # libc keeps the thread's id there; its own fork lets the kernel refresh it likewise
        flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID
    arguments = struct.pack(
        "=11Q", flags, 0, thread_id.value, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, cgroup
    )
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _clone3(_SYS_CLONE3, arguments, len(arguments))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        return 0
    failure = ctypes.get_errno()
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(failure, f"clone3: {os.strerror(failure or errno.EIO)}")
    return int(pid)
