"""`orchestra network inspect`."""

from __future__ import annotations

from functools import partial

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.layout import Layout

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

    look_up = partial(record, context.host().layout)
    text, code = inspect_each(args.words, args.text("format"), look_up)
    write(text)
    return code


def record(layout: Layout, asked: str) -> dict[str, object]:
    """The network that *asked* names. Raises NotFound."""
    from orchestra.cli.render.networks import network_record
    from orchestra.ops.networks import find_network, members

    network = find_network(layout, asked)
    return network_record(network, members(layout, network.spec.name))
