"""/proc/PID: what identifies a process, and the id maps of its user namespace. proc(5)."""

from __future__ import annotations

import os
from typing import NamedTuple


class IdMap(NamedTuple):
    """One line of /proc/PID/uid_map: *length* ids from *inside* on are *outside* and up."""

    inside: int
    outside: int
    length: int


def start_ticks(pid: int) -> int:
    """When *pid* started, in clock ticks since boot: field 22 of /proc/PID/stat.

    With the pid it identifies a process. Raises ProcessLookupError when there is none.
    """
    return _start_ticks(_read_stat(pid))


def is_running(pid: int, ticks: int) -> bool:
    """Is *pid* the process that started at *ticks*, and not a zombie?"""
    try:
        text = _read_stat(pid)
    except ProcessLookupError:
        return False
    state = text[text.rindex(b")") + 2 : text.rindex(b")") + 3]
    return state not in (b"Z", b"X") and _start_ticks(text) == ticks


def exists(pid: int, ticks: int) -> bool:
    """Is there still the process *pid* that started at *ticks*, if only as a zombie?"""
    try:
        return _start_ticks(_read_stat(pid)) == ticks
    except ProcessLookupError:
        return False


def write_id_map(pid: int, kind: str, maps: tuple[IdMap, ...]) -> None:
    """Write /proc/PID/uid_map or gid_map (*kind* "uid" or "gid"), which can be done once."""
    text = "".join(f"{entry.inside} {entry.outside} {entry.length}\n" for entry in maps)
    _write(f"/proc/{pid}/{kind}_map", text)


def write_setgroups(pid: int, *, allow: bool) -> None:
    """/proc/PID/setgroups: must be denied before an unprivileged gid_map is written."""
    _write(f"/proc/{pid}/setgroups", "allow" if allow else "deny")


def _read_stat(pid: int) -> bytes:
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as exc:
        raise ProcessLookupError(exc.errno, "no such process", str(pid)) from exc
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)


def _start_ticks(stat: bytes) -> int:
    # The command's name stands in parentheses and may hold anything, ")" and spaces included.
    return int(stat[stat.rindex(b")") + 2 :].split()[19])


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
