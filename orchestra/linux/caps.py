"""capabilities(7): their names, and capset(2). Sets are integers with bit N for capability N."""

from __future__ import annotations

import ctypes
import errno
from typing import Final

from orchestra.linux.libc import bind, check
from orchestra.linux.prctl import drop_bounding
from orchestra.named import NamedTuple

NAMES: Final = tuple(
    """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
    SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()  # noqa: SIM905 (a list of quoted words is harder to compare with the man page)
)
"""Names without "CAP_"; the index is the kernel's number."""

NUMBERS: Final = {name: number for number, name in enumerate(NAMES)}
ALL: Final = (1 << len(NAMES)) - 1

_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


_capset = bind("capset", ctypes.c_int, ctypes.POINTER(_Header), ctypes.POINTER(_Data))
_capget = bind("capget", ctypes.c_int, ctypes.POINTER(_Header), ctypes.POINTER(_Data))


class CapabilitySets(NamedTuple):
    """The three sets that capget(2) knows."""

    effective: int
    permitted: int
    inheritable: int


def capget() -> CapabilitySets:
    """The calling thread's sets."""
    header = _Header(_VERSION_3, 0)
    data = (_Data * 2)()
    check(_capget(ctypes.byref(header), data), "capget")
    low, high = data
    return CapabilitySets(
        low.effective | high.effective << 32,
        low.permitted | high.permitted << 32,
        low.inheritable | high.inheritable << 32,
    )


def capset(sets: CapabilitySets) -> None:
    """Set the calling thread's sets. Raises OSError(EPERM) when it would gain some."""
    header = _Header(_VERSION_3, 0)
    data = (_Data * 2)(
        _Data(*(value & 0xFFFFFFFF for value in sets)), _Data(*(value >> 32 for value in sets))
    )
    check(_capset(ctypes.byref(header), data), "capset")


def limit_bounding(kept: int) -> None:
    """Drop everything but *kept* from the bounding set, as far as this kernel has names for it."""
    for number in range(64):
        if not kept >> number & 1:
            try:
                drop_bounding(number)
            except OSError as exc:
                if exc.errno == errno.EINVAL:  # beyond the kernel's last one
                    return
                raise
