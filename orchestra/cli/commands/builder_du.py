"""`orchestra builder du`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import Command

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="builder du",
    summary="Show the disk usage of builds",
    max_args=0,
    examples=(("orchestra builder du", "Results of steps and cache mounts, the largest first"),),
)

_DETAIL_WIDTH = 60


def run(args: Args, context: Context) -> int:
    """List what builds keep."""
    from orchestra.cli.render.duration import ago
    from orchestra.cli.render.size import human_size
    from orchestra.cli.render.table import table_text
    from orchestra.ops.builder import build_cache

    del args
    entries = build_cache(context.host().layout)
    now_ns = time.time_ns()
    rows = [
        (
            entry.id,
            entry.kind,
            human_size(entry.size_bytes),
            ago(entry.used_ns, now_ns),
            " ".join(entry.detail.split())[:_DETAIL_WIDTH],
        )
        for entry in entries
    ]
    write(table_text(("ID", "KIND", "SIZE", "LAST USED", "STEP"), rows))
    write(f"Total: {human_size(sum(entry.size_bytes for entry in entries))}\n")
    return 0
