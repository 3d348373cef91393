"""`orchestra network prune`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="network prune [OPTIONS]",
    summary="Remove all unused networks",
    flags=(
        Flag("filter", 'Provide filter values (e.g. "until=<timestamp>")', kind=LIST),
        Flag("force", "Do not prompt for confirmation", short="f"),
    ),
    max_args=0,
    examples=(("orchestra network prune -f --filter until=24h", "What is older than a day"),),
)

_WARNING = (
    "WARNING! This will remove all custom networks not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def run(args: Args, context: Context) -> int:
    """Remove networks that no container uses, and name them."""
    from orchestra.cli.prompt import confirmed
    from orchestra.ops.networks import PRUNE_FILTERS, prune_networks
    from orchestra.ops.object_filters import parse_object_filters

    context.refuse_dry_run()
    filters = parse_object_filters(args.texts("filter"), PRUNE_FILTERS)
    if not args.on("force") and not confirmed(_WARNING):
        return 0
    removed = list(prune_networks(context.host().layout, filters))
    if removed:
        write("".join(["Deleted Networks:\n", *(f"{name}\n" for name in removed), "\n"]))
    return 0
