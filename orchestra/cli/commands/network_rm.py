"""`orchestra network rm`."""

from __future__ import annotations

from orchestra.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="network rm [OPTIONS] NETWORK [NETWORK...]",
    summary="Remove one or more networks",
    flags=(Flag("force", "Do not error if the network does not exist", short="f"),),
    min_args=1,
    examples=(("orchestra network rm edge", "Remove it, unless containers are on it"),),
)


def run(args: Args, context: Context) -> int:
    """Remove each network and print its name."""
    from orchestra.cli.render.removing import remove_each
    from orchestra.ops.networks import remove_network

    context.refuse_dry_run()
    layout = context.host().layout
    force = args.on("force")
    return remove_each(
        args.words, lambda asked: remove_network(layout, asked, missing_is_fine=force)
    )
