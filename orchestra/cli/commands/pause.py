"""`orchestra pause`."""

from __future__ import annotations

from orchestra.cli.flags import Command
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="pause [SERVICE...]",
    summary="Pause services",
    flags=(),
    examples=(("orchestra pause web", "Freeze all processes of `web`"),),
)


def run(args: Args, context: Context) -> int:
    """Pause the named services, or all."""
    from orchestra.ops.pause import pause

    where = target(context, args.words)
    with open_display(context, "pause", rehearses=True) as report:
        pause(context.host(), where, report, dry_run=context.options.dry_run)
    return 0
