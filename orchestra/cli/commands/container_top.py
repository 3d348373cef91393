"""`orchestra container top`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container top CONTAINER [ps OPTIONS]",
    summary="Display the running processes of a container",
    min_args=1,
    interspersed=False,
    examples=(("orchestra container top web", "As `ps -ef` shows them, with the host's ids"),),
)


def run(args: Args, context: Context) -> int:
    """Print the processes, in the columns of `ps -ef` or as this host's ps prints them."""
    from orchestra.cli.render.processes import PROCESS_HEADER, process_columns
    from orchestra.cli.render.table import table_text
    from orchestra.ops.container_find import find_container
    from orchestra.ops.container_top import processes_of, ps_lines

    state = find_container(context.host().layout, args.words[0])
    if args.words[1:]:
        write("".join(f"{line}\n" for line in ps_lines(state, args.words[1:])))
        return 0
    rows = [process_columns(process) for process in processes_of(state)]
    write(table_text(PROCESS_HEADER, rows, min_width=20, padding=1))
    return 0
