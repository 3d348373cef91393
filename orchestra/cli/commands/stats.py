"""`orchestra stats`."""

from __future__ import annotations

from orchestra.cli.context import is_terminal, write
from orchestra.cli.flags import TEXT, Command, Flag
from orchestra.cli.located import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.container_stats import Stats

STATS_FLAGS = (
    Flag("all", "Show all containers (default shows just running)", short="a"),
    Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
    Flag("no-stream", "Disable streaming stats and only pull the first result"),
    Flag("no-trunc", "Do not truncate output"),
)

COMMAND = Command(
    usage="stats [OPTIONS] [SERVICE]",
    summary="Display a live stream of container(s) resource usage statistics",
    flags=STATS_FLAGS,
    max_args=1,
    examples=(
        ("orchestra stats", "All containers, every second, until Ctrl-C"),
        ("orchestra stats --no-stream --format json", "Once, for a script"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Show the containers of the project, or of one service."""
    from orchestra.ops.stats import stats

    where = target(context, args.words)
    return show(stats(context.host(), where, stopped=args.on("all")), args)


def show(samples: Iterable[tuple[Stats, ...]], args: Args) -> int:
    """Print the table again and again: over itself on a terminal, below it elsewhere."""
    import sys

    from orchestra.cli.render.stats import frame, stats_text

    once, live = args.on("no-stream"), is_terminal(1) and not args.on("no-stream")
    for found in samples:
        text = stats_text(found, args.text("format"), full=args.on("no-trunc"))
        write(frame(text) if live else text)
        sys.stdout.flush()
        if once:
            break
    return 0
