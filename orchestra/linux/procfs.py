"""/proc/PID: what identifies a process. proc(5)."""

from __future__ import annotations

import os


def boot_id() -> str:
    """What tells this run of the kernel from every other; "" when it cannot be read. random(4)."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


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


def mount_id(fd: int) -> int:
    """The mount, of whatever namespace, that *fd* was opened through; O_PATH is enough.

    proc(5), /proc/PID/fdinfo.
    """
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as file:
        for line in file:
            if line.startswith("mnt_id:"):
                return int(line.split()[1])
    return -1


def mountinfo_path(field: str) -> str:
    """The path that *field* of /proc/PID/mountinfo stands for. proc(5)."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field
