"""`orchestra volume ls`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="volume ls [OPTIONS]",
    summary="List volumes",
    flags=(
        Flag("filter", 'Provide filter values (e.g. "dangling=true")', short="f", kind=LIST),
        Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
        Flag("quiet", "Only display volume names", short="q"),
    ),
    max_args=0,
    examples=(("orchestra volume ls -q --filter dangling=true", "Those of no container"),),
)


def run(args: Args, context: Context) -> int:
    """Print the volumes of this machine."""
    from orchestra.cli.render.volumes import volumes_text
    from orchestra.ops.object_filters import parse_object_filters
    from orchestra.ops.volumes import LIST_FILTERS, list_volumes

    filters = parse_object_filters(args.texts("filter"), LIST_FILTERS)
    found = list_volumes(context.host().layout, filters)
    write(volumes_text(found, args.text("format"), quiet=args.on("quiet")))
    return 0
