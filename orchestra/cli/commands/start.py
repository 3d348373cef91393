"""`orchestra start`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, Command, Flag
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="start [OPTIONS] [SERVICE...]",
    summary="Start services",
    flags=(
        Flag("wait", "Wait for services to be running|healthy. Implies detached mode."),
        Flag(
            "wait-timeout",
            "Maximum duration in seconds to wait for the project to be running|healthy",
            kind=NUMBER,
        ),
    ),
    examples=(("orchestra start web", "Start the stopped containers of `web`"),),
)


def run(args: Args, context: Context) -> int:
    """Start what exists and does not run of the named services, or of all."""
    from orchestra.ops.start import start

    where = target(context, args.words)
    with open_display(context, "start", rehearses=True) as report:
        seconds = args.number("wait-timeout")
        start(
            context.host(),
            where,
            report,
            wait=args.on("wait"),
            wait_timeout_s=float(seconds) if seconds else None,
            dry_run=context.options.dry_run,
        )
    return 0
