"""`orchestra network ls`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="network ls [OPTIONS]",
    summary="List networks",
    flags=(
        Flag("filter", 'Provide filter values (e.g. "driver=bridge")', short="f", kind=LIST),
        Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
        Flag("no-trunc", "Do not truncate the output"),
        Flag("quiet", "Only display network IDs", short="q"),
    ),
    max_args=0,
    examples=(("orchestra network ls --filter dangling=true", "Those of no container"),),
)


def run(args: Args, context: Context) -> int:
    """Print the networks of this machine."""
    from orchestra.cli.render.networks import networks_text
    from orchestra.ops.networks import LIST_FILTERS, list_networks
    from orchestra.ops.object_filters import parse_object_filters

    filters = parse_object_filters(args.texts("filter"), LIST_FILTERS)
    found = list_networks(context.host().layout, filters)
    quiet, full_ids = args.on("quiet"), args.on("no-trunc")
    write(networks_text(found, args.text("format"), quiet=quiet, full_ids=full_ids))
    return 0
