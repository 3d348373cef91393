"""`orchestra volume prune`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, Command, Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="volume prune [OPTIONS]",
    summary="Remove unused local volumes",
    flags=(
        Flag("all", "Remove all unused volumes, not just anonymous ones", short="a"),
        Flag("filter", 'Provide filter values (e.g. "label=<label>")', kind=LIST),
        Flag("force", "Do not prompt for confirmation", short="f"),
    ),
    max_args=0,
    examples=(("orchestra volume prune -af", "Whatever no container uses, named or not"),),
)

_WARNING = (
    "WARNING! This will remove {} local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def run(args: Args, context: Context) -> int:
    """Remove volumes and tell how much space that gave."""
    from orchestra.cli.prompt import confirmed
    from orchestra.cli.render.size import human_size
    from orchestra.ops.object_filters import parse_object_filters
    from orchestra.ops.volumes import PRUNE_FILTERS, prune_volumes

    context.refuse_dry_run()
    texts = args.texts("filter")
    if args.on("all"):
        if any(text.startswith("all=") for text in texts):
            raise UsageError("conflicting options: --all and --filter all=…", fix="give one")
        texts = (*texts, "all=true")
    filters = parse_object_filters(texts, PRUNE_FILTERS)
    which = "all" if filters.truth("all") else "anonymous"
    if not args.on("force") and not confirmed(_WARNING.format(which)):
        return 0
    removed = list(prune_volumes(context.host().layout, filters))
    if removed:
        write("".join(["Deleted Volumes:\n", *(f"{name}\n" for name, _ in removed), "\n"]))
    freed = sum(size for _, size in removed)
    write(f"Total reclaimed space: {human_size(freed, digits=4)}\n")
    return 0
