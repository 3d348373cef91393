"""`orchestra system df`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="system df [OPTIONS]",
    summary="Show how much disk space images, containers and volumes use",
    flags=(
        Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
        Flag("verbose", "Show detailed information on space usage", short="v"),
    ),
    max_args=0,
    examples=(("orchestra system df -v", "Each image, container and volume"),),
)


def run(args: Args, context: Context) -> int:
    """Print what is on the disk."""
    from orchestra.cli.render import disk_use
    from orchestra.ops.system_df import system_df

    if args.on("verbose") and args.text("format"):
        raise UsageError("the verbose listing has no other format", fix="leave -v or --format out")
    found = system_df(context.host().layout)
    if args.on("verbose"):
        write(disk_use.details(found, time.time_ns()))
    else:
        write(disk_use.summary(found, args.text("format")))
    return 0
