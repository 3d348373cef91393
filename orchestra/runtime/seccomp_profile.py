"""The seccomp program of a container: chosen by security_opt, compiled once per kind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound, Unsupported
from orchestra.runtime.seccomp_bpf import compile_profile
from orchestra.runtime.seccomp_default import default_profile
from orchestra.runtime.syscalls import read_table

if TYPE_CHECKING:
    from orchestra.runtime.syscalls import SyscallTable

_ARCHITECTURES = {
    "x86_64": ("x86_64", "i386", "x32"),
    "aarch64": ("aarch64", "arm"),
    "i686": ("i386",),
    "armv7l": ("arm",),
}
_BUILTIN = "builtin"
_UNCONFINED = "unconfined"


class SeccompProfiles:
    """Programs by capability set and profile, kept in memory; one object per process.

    *machine* is what uname(2) says. Compiling costs about three milliseconds.
    """

    def __init__(self, machine: str = "") -> None:
        self._machine = machine or os.uname().machine
        self._table: SyscallTable | None = None
        self._programs: dict[tuple[str | bytes, int], bytes] = {}

    def program(
        self, options: tuple[str, ...], capabilities: int, *, privileged: bool
    ) -> bytes | None:
        """The filter for a container with these security_opt *options* and *capabilities* (bits).

        None is no filter: "seccomp=unconfined", or *privileged* without a profile of its own.
        Raises NotFound or ConfigError for a profile that cannot be used, Unsupported on a machine
        whose system calls are not known here.
        """
        wanted = seccomp_option(options)
        if wanted == _UNCONFINED or (privileged and not wanted):
            return None
        if not wanted or wanted == _BUILTIN:
            return self._default(capabilities)
        return self._custom(wanted, capabilities)

    def _default(self, capabilities: int) -> bytes:
        key = (_BUILTIN, capabilities)
        if key not in self._programs:
            table = self._tables()
            profile = default_profile(capabilities, self._architectures(), table.rules)
            self._programs[key] = compile_profile(profile, table.numbers)
        return self._programs[key]

    def _custom(self, wanted: str, capabilities: int) -> bytes:
        text = wanted.encode() if wanted.lstrip().startswith("{") else _read(wanted)
        key = (text, capabilities)
        if key not in self._programs:
            from orchestra.runtime import seccomp_json  # few containers pay for its decoder

            container = seccomp_json.Container(
                self._architectures(), capabilities, _kernel_version()
            )
            profile = seccomp_json.parse_profile(text, container, where=wanted[:80])
            self._programs[key] = compile_profile(profile, self._tables().numbers)
        return self._programs[key]

    def _tables(self) -> SyscallTable:
        if self._table is None:
            self._table = read_table()
        return self._table

    def _architectures(self) -> tuple[str, ...]:
        try:
            return _ARCHITECTURES[self._machine]
        except KeyError as exc:
            raise Unsupported(
                f"the system calls of {self._machine} are not known to this version",
                fix="set security_opt: [seccomp=unconfined] to run without a filter",
            ) from exc


def seccomp_option(options: tuple[str, ...]) -> str:
    """What follows "seccomp=" (or the older "seccomp:") in security_opt; "" without."""
    found = ""
    for option in options:
        for prefix in ("seccomp=", "seccomp:"):
            if option.startswith(prefix):
                found = option.removeprefix(prefix)
    return found


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as exc:
        raise NotFound(
            f"the seccomp profile {path} does not exist",
            fix="correct the path in security_opt, or write seccomp=unconfined",
        ) from exc
    except OSError as exc:
        raise ConfigError(f"the seccomp profile {path} cannot be read: {exc.strerror}") from exc


def _kernel_version() -> tuple[int, int]:
    major, minor = os.uname().release.split(".", 2)[:2]
    return int(major), int("".join(digit for digit in minor if digit.isdigit()) or 0)
