"""`orchestra builder prune`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, Command, Flag

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="builder prune [OPTIONS]",
    summary="Remove build cache",
    flags=(
        Flag("all", "Accepted; everything that builds keep is removed anyway", short="a"),
        Flag("filter", 'Provide filter values (e.g. "until=24h")', kind=LIST),
        Flag("force", "Do not prompt for confirmation", short="f"),
    ),
    max_args=0,
    examples=(
        ("orchestra builder prune -f", "Forget the results of all steps, and cache mounts"),
        ("orchestra builder prune -f --filter until=168h", "What was not used for a week"),
    ),
)

_WARNING = "WARNING! This will remove all build cache.\nAre you sure you want to continue?"


def run(args: Args, context: Context) -> int:
    """Remove what builds keep and tell how much space that gave."""
    from orchestra.cli.prompt import confirmed
    from orchestra.cli.render.size import human_size
    from orchestra.ops.builder import prune_build_cache
    from orchestra.ops.image_filters import parse_filters

    context.refuse_dry_run()
    filters = parse_filters(args.texts("filter"), ("until",), time.time_ns())
    if not args.on("force") and not confirmed(_WARNING):
        return 0
    pruned = prune_build_cache(context.host().layout, before_ns=filters.until_ns)
    write(f"Total reclaimed space: {human_size(pruned.freed_bytes)}\n")
    return 0
