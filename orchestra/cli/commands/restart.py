"""`orchestra restart`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, Command, Flag
from orchestra.cli.located import load_project, target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="restart [OPTIONS] [SERVICE...]",
    summary="Restart service containers",
    flags=(
        Flag("no-deps", "Don't restart dependent services"),
        Flag("timeout", "Specify a shutdown timeout in seconds", short="t", kind=NUMBER),
    ),
    examples=(("orchestra restart web", "Stop and start the containers of `web`"),),
)


def run(args: Args, context: Context) -> int:
    """Stop and start the named services, or all."""
    from orchestra.ops.restart import restart, warn_of_changes

    where = target(context, args.words)
    with open_display(context, "restart", rehearses=True) as report:
        if where.declared is not None:
            warn_of_changes(context.host(), where, load_project(context), report)
        restart(
            context.host(),
            where,
            report,
            grace_s=args.seconds("timeout"),
            dependents=not args.on("no-deps"),
            dry_run=context.options.dry_run,
        )
    return 0
