"""`orchestra image prune`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image prune [OPTIONS]",
    summary="Remove unused images",
    flags=(
        Flag("all", "Remove all unused images, not just dangling ones", short="a"),
        Flag("filter", 'Provide filter values (e.g. "until=24h")', kind=LIST),
        Flag("force", "Do not prompt for confirmation", short="f"),
    ),
    max_args=0,
    examples=(("orchestra image prune -af", "Keep only what containers were made from"),),
)

_WARNING = "WARNING! This will remove all {}.\nAre you sure you want to continue?"
_WHAT = {
    False: "dangling images",
    True: "images without at least one container associated to them",
}


def run(args: Args, context: Context) -> int:
    """Remove images and tell how much space that gave."""
    from orchestra.cli.prompt import confirmed
    from orchestra.cli.render.images import pruned_text
    from orchestra.ops.image_filters import parse_filters
    from orchestra.ops.image_prune import FILTERS, image_prune

    context.refuse_dry_run()
    filters = parse_filters(args.texts("filter"), FILTERS, time.time_ns())
    if args.on("all"):
        filters = filters._replace(dangling=False)
    if not args.on("force") and not confirmed(_WARNING.format(_WHAT[args.on("all")])):
        return 0
    write(pruned_text(image_prune(context.host().layout, filters)))
    return 0
