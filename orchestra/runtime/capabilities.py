"""Which capabilities a container gets, from cap_add, cap_drop and privileged. Pure."""

from __future__ import annotations

from typing import Final

from orchestra.errors import ConfigError
from orchestra.linux.caps import ALL, NUMBERS

_DEFAULT_NAMES = """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP
NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"""

DEFAULT: Final = sum(1 << NUMBERS[name] for name in _DEFAULT_NAMES.split())
"""Docker's default set."""


def capability_set(
    add: tuple[str, ...], drop: tuple[str, ...], *, privileged: bool, available: int = ALL
) -> int:
    """The set as bits; raises ConfigError for a name that is none.

    *available* is what this process may give away: nothing else can be had, and asking for it by
    name is an error.

    As Docker: "ALL" in *add* starts from everything, "ALL" in *drop* from nothing; *drop* wins
    over "ALL" in *add*, a named *add* wins over *drop*.
    """
    if privileged:
        return available
    added, all_added = _parse(add, "cap_add")
    dropped, all_dropped = _parse(drop, "cap_drop")
    if added & ~available:
        missing = [name for name, number in NUMBERS.items() if (added & ~available) >> number & 1]
        raise ConfigError(
            f"cap_add: {', '.join(missing)} is not available here",
            fix="the kernel, or the sandbox around this process, does not grant it: leave it out",
        )
    if all_added:
        return available & ~dropped
    if all_dropped:
        return added
    return (DEFAULT & available & ~dropped) | added


def _parse(names: tuple[str, ...], attribute: str) -> tuple[int, bool]:
    bits, everything = 0, False
    for name in names:
        plain = name.upper().removeprefix("CAP_")
        if plain == "ALL":
            everything = True
        elif plain in NUMBERS:
            bits |= 1 << NUMBERS[plain]
        else:
            raise ConfigError(
                f'{attribute}: unknown capability "{name}"',
                fix="capabilities(7) lists them; write NET_ADMIN or CAP_NET_ADMIN",
            )
    return bits, everything
