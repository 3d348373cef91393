"""`orchestra wait`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import Command, Flag
from orchestra.cli.located import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="wait SERVICE [SERVICE...] [OPTIONS]",
    summary="Block until containers of all (or specified) services stop.",
    flags=(Flag("down-project", "Drops project when the first container stops"),),
    min_args=1,
    examples=(("orchestra wait migrate", "Print the exit code of `migrate` when it has ended"),),
)


def run(args: Args, context: Context) -> int:
    """Print each exit code as it comes; the exit code is that of the first."""
    import sys

    from orchestra.ops.wait import wait

    where = target(context, args.words)
    first: int | None = None
    for container, code in wait(context.host(), where):
        write(f'container "{container.id}" exited with status code {code}\n')
        sys.stdout.flush()
        first = code if first is None else first
        if args.on("down-project"):
            _take_down(context, where.project)
            break
    return first or 0


def _take_down(context: Context, project: str) -> None:
    from orchestra.cli.render.progress import open_display
    from orchestra.ops.down import DownOptions, down
    from orchestra.ops.target import Target

    with open_display(context, "down") as report:
        down(context.host(), Target(project), DownOptions(), report)
