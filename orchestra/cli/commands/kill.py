"""`orchestra kill`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="kill [OPTIONS] [SERVICE...]",
    summary="Force stop service containers",
    flags=(
        Flag("remove-orphans", "Remove containers for services not defined in the Compose file"),
        Flag("signal", "SIGNAL to send to the container", short="s", kind=TEXT, default="SIGKILL"),
    ),
    examples=(("orchestra kill -s HUP web", "Tell `web` to read its configuration again"),),
)


def run(args: Args, context: Context) -> int:
    """Send a signal to what runs of the named services, or of all."""
    from orchestra.ops.kill import kill

    where = target(context, args.words)
    with open_display(context, "kill", rehearses=True) as report:
        kill(
            context.host(),
            where,
            report,
            signal=args.text("signal"),
            remove_orphans=args.on("remove-orphans"),
            dry_run=context.options.dry_run,
        )
    return 0
