"""prctl(2): attributes of the calling process."""

from __future__ import annotations

import ctypes

from orchestra.linux.constants import (
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    PR_GET_CHILD_SUBREAPER,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_NAME,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
)
from orchestra.linux.libc import bind, check

_ULONG = ctypes.c_ulong
_prctl = bind("prctl", ctypes.c_int, ctypes.c_int, _ULONG, _ULONG, _ULONG, _ULONG)
_prctl_string = bind("prctl", ctypes.c_int, ctypes.c_int, ctypes.c_char_p)
_prctl_pointer = bind("prctl", ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_int))


def set_child_subreaper(*, on: bool) -> None:
    """Become the parent of orphaned descendants. PR_SET_CHILD_SUBREAPER(2const)."""
    check(_prctl(PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)")


def is_child_subreaper() -> bool:
    value = ctypes.c_int()
    result = _prctl_pointer(PR_GET_CHILD_SUBREAPER, ctypes.byref(value))
    check(result, "prctl(PR_GET_CHILD_SUBREAPER)")
    return value.value != 0


def set_no_new_privs() -> None:
    """No execve gains privileges from here on; cannot be undone."""
    check(_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def set_keepcaps(*, on: bool) -> None:
    """Keep the permitted capabilities when the uid changes from 0."""
    check(_prctl(PR_SET_KEEPCAPS, int(on), 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")


def set_parent_death_signal(signal_number: int) -> None:
    """Get *signal_number* when the parent thread ends; 0 clears it."""
    check(_prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def set_dumpable(*, on: bool) -> None:
    """May others of this user ptrace the process and read its /proc files?"""
    check(_prctl(PR_SET_DUMPABLE, int(on), 0, 0, 0), "prctl(PR_SET_DUMPABLE)")


def set_name(name: str) -> None:
    """The process's name in /proc/PID/comm; the kernel keeps 15 bytes."""
    check(_prctl_string(PR_SET_NAME, name.encode()), "prctl(PR_SET_NAME)")


def has_bounding(capability: int) -> bool:
    """Is *capability* in the bounding set? False also when the kernel does not know it."""
    return _prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1


def drop_bounding(capability: int) -> None:
    """Take *capability* out of the bounding set; needs CAP_SETPCAP."""
    check(_prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "prctl(PR_CAPBSET_DROP)")
