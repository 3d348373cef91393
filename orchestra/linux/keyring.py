"""The session keyring: keys that a process finds because its session was given them. keyctl(2)."""

from __future__ import annotations

import contextlib
import ctypes

from orchestra.linux.libc import bind_syscall, check

_JOIN_SESSION_KEYRING = 1

_keyctl = bind_syscall("keyctl", ctypes.c_int, ctypes.c_char_p)


def leave_session_keyring() -> None:
    """Take a new, empty session keyring, so that the caller's keys are out of reach.

    Where the kernel has no keys, or the quota is used up, there is nothing to do or to lose.
    """
    with contextlib.suppress(OSError):
        check(_keyctl(_JOIN_SESSION_KEYRING, None), "keyctl")
