"""The door to the C library: prototypes built once, failures as OSError with the call and its path.

Every wrapper of `orchestra.linux` gets a function object of its own from `bind` or `bind_syscall`:
`ctypes` keeps a prototype on the function object, so a shared one would be rewritten under a
caller's feet. What a call means stands beside its wrapper, not here.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)

# Only calls older than the common numbering (Linux 5.0) differ between architectures.
_OLD_NUMBERS = {
    "x86_64": {"pivot_root": 155, "keyctl": 250, "seccomp": 317, "bpf": 321},
    "aarch64": {"pivot_root": 41, "keyctl": 219, "seccomp": 277, "bpf": 280},
}
_COMMON_NUMBERS = {
    "open_tree": 428,
    "move_mount": 429,
    "close_range": 436,
    "openat2": 437,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
}


def bind(name: str, restype: type | None, *argtypes: type) -> Callable[..., int]:
    """A new function object for the libc symbol *name*. Raises AttributeError without it."""
    function = _LIBC[name]
    function.restype = restype
    function.argtypes = argtypes
    return function


def bind_syscall(name: str, *argtypes: type) -> Callable[..., int]:
    """A new function object for the system call *name*, which libc has no symbol for.

    On an architecture whose number is not known the call answers ENOSYS.
    """
    number = _COMMON_NUMBERS.get(name)
    if number is None:
        number = _OLD_NUMBERS.get(os.uname().machine, {}).get(name, -1)
    function = _LIBC["syscall"]
    function.restype = ctypes.c_long
    function.argtypes = (ctypes.c_long, *argtypes)

    def call(*args: object) -> int:
        return int(function(number, *args))

    return call


def check(result: int, call: str, path: object = None) -> int:
    """*result*, or OSError(errno, "call: reason", path) when it is negative."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}", None if path is None else str(path))
    return result


def fsencode(path: str | None) -> bytes | None:
    """*path* as the kernel takes it. Raises ValueError for a NUL byte."""
    if path is None:
        return None
    data = os.fsencode(path)
    if b"\0" in data:
        raise ValueError(f"a path holds a NUL byte: {path!r}")
    return data
