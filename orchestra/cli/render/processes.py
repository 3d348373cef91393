"""Processes in the columns of `ps -ef`."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.ops.top import ProcessLine

PROCESS_HEADER = ("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")


def process_columns(process: ProcessLine) -> tuple[str, ...]:
    """One process, in the order of PROCESS_HEADER."""
    age_s = max(time.time() - process.started_s, 0.001)
    form = "%H:%M" if age_s < 86400 else "%b%d"
    seconds = int(process.cpu_s)
    return (
        _user(process.uid),
        str(process.pid),
        str(process.ppid),
        str(min(int(100 * process.cpu_s / age_s), 99)),
        time.strftime(form, time.localtime(process.started_s)),
        _terminal(process.terminal),
        f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}",
        process.command,
    )


def _user(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _terminal(device: int) -> str:
    major, minor = os.major(device), os.minor(device)
    if 136 <= major <= 143:  # Unix98 pseudo-terminals, as in the kernel's devices.txt
        return f"pts/{(major - 136) * 256 + minor}"
    return f"tty{minor}" if major == 4 else "?"
