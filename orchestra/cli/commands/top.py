"""`orchestra top`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import Command
from orchestra.cli.located import target
from orchestra.cli.render.processes import PROCESS_HEADER, process_columns
from orchestra.cli.render.table import table_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

HEADER = ("SERVICE", "#", *PROCESS_HEADER)

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
        (container.service, str(container.number), *process_columns(process))
        for container, processes in top(context.host().layout, target(context, args.words))
        for process in processes
    ]
    if rows:
        write(table_text(HEADER, rows, min_width=4, padding=2))
    return 0
