"""`orchestra container stats`."""

from __future__ import annotations

from orchestra.cli.context import is_terminal, write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container stats [OPTIONS] [CONTAINER...]",
    summary="Display a live stream of container(s) resource usage statistics",
    flags=(
        Flag("all", "Show all containers (default shows just running)", short="a"),
        Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
        Flag("no-stream", "Disable streaming stats and only pull the first result"),
        Flag("no-trunc", "Do not truncate output"),
    ),
    examples=(("orchestra container stats --no-stream", "Once, for all that run"),),
)


def run(args: Args, context: Context) -> int:
    """Print the table again and again: over itself on a terminal, below it elsewhere."""
    import sys

    from orchestra.cli.render.stats import frame, stats_text
    from orchestra.ops.stats import container_stats

    once, live = args.on("no-stream"), is_terminal(1) and not args.on("no-stream")
    for found in container_stats(context.host(), args.words, stopped=args.on("all")):
        text = stats_text(found, args.text("format"), full=args.on("no-trunc"))
        write(frame(text) if live else text)
        sys.stdout.flush()
        if once:
            break
    return 0
