"""`orchestra network disconnect`."""

from __future__ import annotations

from orchestra.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="network disconnect [OPTIONS] NETWORK CONTAINER",
    summary="Disconnect a container from a network",
    flags=(Flag("force", "Also a container that exists no more", short="f"),),
    min_args=2,
    max_args=2,
    examples=(("orchestra network disconnect edge shop-db-1", "Its interface there goes"),),
)


def run(args: Args, context: Context) -> int:
    """Take the container from the network, live when it runs."""
    from orchestra.ops.network_connect import disconnect_network

    context.refuse_dry_run()
    network, container = args.words
    disconnect_network(context.host(), network, container, force=args.on("force"))
    return 0
