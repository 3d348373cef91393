"""`orchestra image history`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag
from orchestra.cli.render.duration import ago, rfc3339_nano
from orchestra.cli.render.images import short_id
from orchestra.cli.render.listing import Item, listing_text
from orchestra.cli.render.size import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.image_inspect import HistoryLine

COMMAND = Command(
    usage="image history [OPTIONS] IMAGE",
    summary="Show the history of an image",
    flags=(
        Flag("format", "Format output: table, json, table TEMPLATE or TEMPLATE", kind=TEXT),
        Flag("human", "Print sizes and dates in human readable format", short="H", default="true"),
        Flag("no-trunc", "Don't truncate output"),
        Flag("quiet", "Only show image IDs", short="q"),
    ),
    min_args=1,
    max_args=1,
    examples=(("orchestra image history redis:7", "Each step of its build, the last one first"),),
)

_COLUMNS = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
_HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}
_MAX_COMMAND = 45


def run(args: Args, context: Context) -> int:
    """Print the steps of the image."""
    from orchestra.ops.image_inspect import image_history

    lines = image_history(context.host().layout, args.words[0])
    full, human = args.on("no-trunc"), args.on("human")
    if args.on("quiet"):
        write("".join(f"{line.id if full else short_id(line.id)}\n" for line in lines))
        return 0
    columns = _COLUMNS if human else tuple(c.replace("Since", "At") for c in _COLUMNS)
    items = [_item(line, time.time_ns(), full=full, human=human) for line in lines]
    write(listing_text(items, args.text("format"), headers=_HEADERS, columns=columns))
    return 0


def _item(line: HistoryLine, now_ns: int, *, full: bool, human: bool) -> Item:
    command = line.created_by.replace("\t", " ").replace("\n", " ")
    if not full and len(command) > _MAX_COMMAND:
        command = command[: _MAX_COMMAND - 1] + "…"
    created = line.created_ns
    return Item(
        {
            "Comment": line.comment,
            "CreatedAt": rfc3339_nano(created).partition(".")[0] + "Z" if created else "",
            "CreatedBy": command,
            "CreatedSince": ago(created, now_ns) if created else "N/A",
            "ID": line.id if full else short_id(line.id),
            "Size": human_size(line.size_bytes) if human else str(line.size_bytes),
        }
    )
