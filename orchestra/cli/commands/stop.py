"""`orchestra stop`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, Command, Flag
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="stop [OPTIONS] [SERVICE...]",
    summary="Stop services",
    flags=(Flag("timeout", "Specify a shutdown timeout in seconds", short="t", kind=NUMBER),),
    examples=(("orchestra stop -t 2 web", "SIGTERM, and after two seconds SIGKILL"),),
)


def run(args: Args, context: Context) -> int:
    """Stop what runs of the named services, or of all."""
    from orchestra.ops.stop import stop

    where = target(context, args.words)
    with open_display(context, "stop", rehearses=True) as report:
        stop(
            context.host(),
            where,
            report,
            grace_s=args.seconds("timeout"),
            dry_run=context.options.dry_run,
        )
    return 0
