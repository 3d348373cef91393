"""`orchestra volume rm`."""

from __future__ import annotations

from orchestra.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="volume rm [OPTIONS] VOLUME [VOLUME...]",
    summary="Remove one or more volumes",
    flags=(Flag("force", "Force the removal of one or more volumes", short="f"),),
    min_args=1,
    examples=(("orchestra volume rm shop_data", "Remove it with its data"),),
)


def run(args: Args, context: Context) -> int:
    """Remove each volume; --force makes a missing one no error, it takes none from a container."""
    from orchestra.cli.render.removing import remove_each
    from orchestra.ops.volumes import remove_volume

    context.refuse_dry_run()
    layout = context.host().layout

    def remove(name: str) -> bool:
        remove_volume(layout, name, missing_is_fine=args.on("force"))
        return True

    return remove_each(args.words, remove)
