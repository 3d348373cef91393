"""`orchestra container ls`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, NUMBER, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container ls [OPTIONS]",
    summary="List containers",
    flags=(
        Flag("all", "Show all containers (default shows just running)", short="a"),
        Flag("filter", "Filter output based on conditions provided", short="f", kind=LIST),
        Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
        Flag(
            "last",
            "Show n last created containers (includes all states)",
            short="n",
            kind=NUMBER,
            default="-1",
        ),
        Flag("latest", "Show the latest created container (includes all states)", short="l"),
        Flag("no-trunc", "Don't truncate output"),
        Flag("quiet", "Only display container IDs", short="q"),
        Flag("size", "Display total file sizes", short="s"),
    ),
    max_args=0,
    examples=(
        ("orchestra container ls -a --filter status=exited", "Those that have ended"),
        ("orchestra container ls --format '{{.Names}}: {{.Status}}'", "A line of one's own"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print the containers of every project."""
    from orchestra.cli.render.container_list import containers_text
    from orchestra.ops.container_list import FILTERS, ListOptions, list_containers
    from orchestra.ops.object_filters import parse_object_filters

    options = ListOptions(
        every=args.on("all"),
        last=1 if args.on("latest") else max(0, args.number("last")),
        filters=parse_object_filters(args.texts("filter"), FILTERS),
    )
    layout = context.host().layout
    found = list_containers(layout, options)
    truncate, template = not args.on("no-trunc"), args.text("format")
    if args.on("quiet") and template in ("", "table"):
        write("".join(f"{state.id[:12] if truncate else state.id}\n" for state in found))
        return 0
    sizes = None
    if args.on("size"):
        from orchestra.ops.container_size import container_sizes

        sizes = container_sizes(layout, found)
    write(containers_text(found, template, now_ns=time.time_ns(), truncate=truncate, sizes=sizes))
    return 0
