"""`orchestra container stats`."""

from __future__ import annotations

from orchestra.cli.commands.stats import STATS_FLAGS, show
from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container stats [OPTIONS] [CONTAINER...]",
    summary="Display a live stream of container(s) resource usage statistics",
    flags=STATS_FLAGS,
    examples=(("orchestra container stats --no-stream", "Once, for all that run"),),
)


def run(args: Args, context: Context) -> int:
    """Show containers of whatever projects."""
    from orchestra.ops.stats import container_stats

    return show(container_stats(context.host(), args.words, stopped=args.on("all")), args)
