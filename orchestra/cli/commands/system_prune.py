"""`orchestra system prune`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.system_prune import SystemPruned

COMMAND = Command(
    usage="system prune [OPTIONS]",
    summary="Remove unused data",
    flags=(
        Flag("all", "Remove all unused images not just dangling ones", short="a"),
        Flag("filter", 'Provide filter values (e.g. "label=<key>=<value>")', kind=LIST),
        Flag("force", "Do not prompt for confirmation", short="f"),
        Flag("volumes", "Prune anonymous volumes"),
    ),
    max_args=0,
    examples=(
        ("orchestra system prune --filter until=24h", "What is older than a day and not in use"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Remove what nobody uses, and tell what that was."""
    from orchestra.cli.prompt import confirmed
    from orchestra.ops.image_filters import parse_filters
    from orchestra.ops.system_prune import FILTERS, system_prune

    context.refuse_dry_run()
    filters = parse_filters(args.texts("filter"), FILTERS, time.time_ns())
    if not args.on("force") and not confirmed(_warning(args)):
        return 0
    pruned = system_prune(
        context.host(),
        filters,
        lambda _: None,
        all_images=args.on("all"),
        volumes=args.on("volumes"),
    )
    write(_text(pruned))
    return 0


def _warning(args: Args) -> str:
    volumes = "  - all anonymous volumes not used by at least one container\n"
    images = (
        "all images without at least one container associated to them"
        if args.on("all")
        else "all dangling images"
    )
    return (
        "WARNING! This will remove:\n"
        "  - all stopped containers\n"
        "  - all networks not used by at least one container\n"
        f"{volumes if args.on('volumes') else ''}"
        f"  - {images}\n"
        f"  - {'all' if args.on('all') else 'unused'} build cache\n\n"
        "Are you sure you want to continue?"
    )


def _text(pruned: SystemPruned) -> str:
    from orchestra.cli.render.images import pruned_lines
    from orchestra.cli.render.size import human_size

    text = ""
    for kind, names in (
        ("Containers", pruned.containers),
        ("Networks", pruned.networks),
        ("Volumes", pruned.volumes),
        ("Images", pruned_lines(pruned.images)),
        ("build cache objects", pruned.cache),
    ):
        if names:
            text += f"Deleted {kind}:\n" + "".join(f"{name}\n" for name in names) + "\n"
    return f"{text}Total reclaimed space: {human_size(pruned.freed_bytes, digits=4)}\n"
