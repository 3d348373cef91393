"""`orchestra network inspect`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="network inspect [OPTIONS] NETWORK [NETWORK...]",
    summary="Display detailed information on one or more networks",
    flags=(
        Flag("format", "Format output: json or TEMPLATE", short="f", kind=TEXT),
        Flag("verbose", "Accepted and without effect: for swarm networks", short="v"),
    ),
    min_args=1,
    examples=(
        (
            "orchestra network inspect -f '{{(index .IPAM.Config 0).Subnet}}' shop_default",
            "Its subnet",
        ),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print the networks as JSON, or as the template says."""
    from orchestra.cli.render.inspected import inspect_each
    from orchestra.cli.render.networks import network_record
    from orchestra.ops.networks import find_network, members

    layout = context.host().layout

    def record(asked: str) -> dict[str, object]:
        network = find_network(layout, asked)
        return network_record(network, members(layout, network.spec.name))

    text, code = inspect_each(args.words, args.text("format"), record)
    write(text)
    return code
