"""seccomp(2): install a filter program. What it filters is `runtime.seccomp_profile`'s."""

from __future__ import annotations

import ctypes
import errno
from typing import Final

from orchestra.linux.libc import bind_syscall, check

SECCOMP_SET_MODE_FILTER: Final = 1
SECCOMP_FILTER_FLAG_SPEC_ALLOW: Final = 4
_INSTRUCTION_BYTES = 8


class _SockFprog(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


_seccomp = bind_syscall("seccomp", ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p)


def install(program: bytes) -> None:
    """Filter the calling thread's system calls from now on, and those of what it becomes.

    *program* is an array of struct sock_filter. Needs no_new_privs or CAP_SYS_ADMIN. Speculation
    is left as it is, as in runc: the mitigation would slow every container. Raises OSError:
    EACCES without the right, EINVAL for a broken program.
    """
    code = ctypes.create_string_buffer(program, len(program))
    header = _SockFprog(len(program) // _INSTRUCTION_BYTES, ctypes.addressof(code))
    address = ctypes.addressof(header)
    result = _seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, address)
    if result < 0 and ctypes.get_errno() == errno.EINVAL:  # before Linux 4.17: no such flag
        result = _seccomp(SECCOMP_SET_MODE_FILTER, 0, address)
    check(result, "seccomp(SECCOMP_SET_MODE_FILTER)")
