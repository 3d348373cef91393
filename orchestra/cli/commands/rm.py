"""`orchestra rm`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import Command, Flag
from orchestra.cli.located import target
from orchestra.cli.prompt import confirmed
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="rm [OPTIONS] [SERVICE...]",
    summary="Removes stopped service containers",
    flags=(
        Flag("all", "Deprecated - no effect", short="a", hidden=True),
        Flag("force", "Don't ask to confirm removal", short="f"),
        Flag("stop", "Stop the containers, if required, before removing", short="s"),
        Flag("volumes", "Remove any anonymous volumes attached to containers", short="v"),
    ),
    examples=(("orchestra rm -fsv web", "Stop and remove `web` with its anonymous volumes"),),
)


def run(args: Args, context: Context) -> int:
    """Remove containers after asking."""
    import sys

    from orchestra.ops.rm import removable, rm

    host, where, stop = context.host(), target(context, args.words), args.on("stop")
    names = [state.name for state in removable(host.layout, where, stop=stop)]
    if not names:
        sys.stderr.write("No stopped containers\n")
        return 0
    question = f"Going to remove {', '.join(names)}"
    if args.on("force"):
        write(f"{question}\n")
        sys.stdout.flush()
    elif not confirmed(question):
        return 0
    with open_display(context, "rm", rehearses=True) as report:
        rm(
            host,
            where,
            report,
            stop=stop,
            volumes=args.on("volumes"),
            dry_run=context.options.dry_run,
        )
    return 0
