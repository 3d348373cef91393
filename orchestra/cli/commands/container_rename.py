"""`orchestra container rename`."""

from __future__ import annotations

from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container rename CONTAINER NEW_NAME",
    summary="Rename a container",
    min_args=2,
    max_args=2,
    examples=(("orchestra container rename web old-web", "A name is free for another then"),),
)


def run(args: Args, context: Context) -> int:
    """Give it the new name."""
    from orchestra.ops.container_rename import rename

    context.refuse_dry_run()
    rename(context.host(), *args.words)
    return 0
