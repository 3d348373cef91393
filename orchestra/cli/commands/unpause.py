"""`orchestra unpause`."""

from __future__ import annotations

from orchestra.cli.flags import Command
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="unpause [SERVICE...]",
    summary="Unpause services",
    flags=(),
    examples=(("orchestra unpause web", "Let `web` go on"),),
)


def run(args: Args, context: Context) -> int:
    """Unpause the named services, or all."""
    from orchestra.ops.unpause import unpause

    where = target(context, args.words)
    with open_display(context, "unpause", rehearses=True) as report:
        unpause(context.host(), where, report, dry_run=context.options.dry_run)
    return 0
