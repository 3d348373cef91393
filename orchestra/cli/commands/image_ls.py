"""`orchestra image ls`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag
from orchestra.cli.render.images import (
    COLUMNS,
    COLUMNS_WITH_DIGEST,
    HEADERS,
    image_item,
    short_id,
)
from orchestra.cli.render.listing import listing_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image ls [OPTIONS] [REPOSITORY[:TAG]]",
    summary="List images",
    flags=(
        Flag("all", "Show all images (there are no intermediate ones here)", short="a"),
        Flag("digests", "Show digests"),
        Flag("filter", "Filter output based on conditions provided", short="f", kind=LIST),
        Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
        Flag("no-trunc", "Don't truncate output"),
        Flag("quiet", "Only show image IDs", short="q"),
    ),
    max_args=1,
    examples=(
        ("orchestra image ls", "All images, and `host`, which is this machine itself"),
        ("orchestra image ls -qf dangling=true", "The IDs of those without a name"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print the images of this machine."""
    from orchestra.ops.image_filters import parse_filters
    from orchestra.ops.image_ls import FILTERS, HOST_LINE, image_ls

    now_ns = time.time_ns()
    filters = parse_filters(args.texts("filter"), FILTERS, now_ns)
    filters = filters._replace(references=(*filters.references, *args.words))
    lines = image_ls(context.host().layout, filters)
    full = args.on("no-trunc")
    if args.on("quiet") and not args.text("format"):
        ids = [line.id for line in lines if line is not HOST_LINE]
        write("".join(f"{each if full else short_id(each)}\n" for each in ids))
        return 0
    columns = COLUMNS_WITH_DIGEST if args.on("digests") else COLUMNS
    items = [image_item(line, now_ns, full=full) for line in lines]
    write(listing_text(items, args.text("format"), headers=HEADERS, columns=columns))
    return 0
