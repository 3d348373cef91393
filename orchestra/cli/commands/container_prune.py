"""`orchestra container prune`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container prune [OPTIONS]",
    summary="Remove all stopped containers",
    flags=(
        Flag("filter", 'Provide filter values (e.g. "until=<timestamp>")', kind=LIST),
        Flag("force", "Do not prompt for confirmation", short="f"),
    ),
    max_args=0,
    examples=(("orchestra container prune -f --filter until=24h", "Those older than a day"),),
)

_WARNING = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?"


def run(args: Args, context: Context) -> int:
    """Ask, remove what does not run, and tell what came free."""
    from orchestra.cli.prompt import confirmed
    from orchestra.cli.render.size import human_size
    from orchestra.ops.container_list import PRUNE_FILTERS
    from orchestra.ops.container_prune import container_prune
    from orchestra.ops.object_filters import parse_object_filters

    context.refuse_dry_run()
    filters = parse_object_filters(args.texts("filter"), PRUNE_FILTERS)
    if not args.on("force") and not confirmed(_WARNING):
        return 0
    removed = list(container_prune(context.host(), filters))
    if removed:
        write("Deleted Containers:\n" + "".join(f"{name}\n" for name, _ in removed) + "\n")
    freed = sum(size for _, size in removed)
    write(f"Total reclaimed space: {human_size(freed, digits=4)}\n")
    return 0
