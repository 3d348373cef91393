"""`orchestra top`."""

from __future__ import annotations

import os
import time

from orchestra.cli.context import write
from orchestra.cli.flags import Command
from orchestra.cli.located import target
from orchestra.cli.render.table import table_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.top import ProcessLine

HEADER = ("SERVICE", "#", "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")

COMMAND = Command(
    usage="top [SERVICES...]",
    summary="Display the running processes",
    flags=(),
    examples=(("orchestra top web", "The processes of `web`"),),
)


def run(args: Args, context: Context) -> int:
    """Print the processes of each container."""
    from orchestra.ops.top import top

    rows = [
        (container.service, str(container.number), *_columns(process))
        for container, processes in top(context.host().layout, target(context, args.words))
        for process in processes
    ]
    if rows:
        write(table_text(HEADER, rows, min_width=4, padding=2))
    return 0


def _columns(process: ProcessLine) -> tuple[str, ...]:
    """As `ps -ef` prints them."""
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
