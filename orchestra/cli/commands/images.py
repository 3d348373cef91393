"""`orchestra images`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag, UsageError
from orchestra.cli.located import target
from orchestra.cli.render.listing import compact_json
from orchestra.cli.render.size import human_size
from orchestra.cli.render.table import table_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.images import ImageLine

HEADER = ("CONTAINER", "REPOSITORY", "TAG", "IMAGE ID", "SIZE")

COMMAND = Command(
    usage="images [OPTIONS] [SERVICE...]",
    summary="List images used by the created containers",
    flags=(
        Flag(
            "format",
            "Format the output. Values: [table | json]",
            kind=TEXT,
            default="table",
            choices=("table", "json"),
        ),
        Flag("quiet", "Only display IDs", short="q"),
    ),
    examples=(("orchestra images -q", "The IDs alone"),),
)


def run(args: Args, context: Context) -> int:
    """Print the image of each container."""
    from orchestra.ops.images import images

    lines = images(context.host().layout, target(context, args.words))
    if args.on("quiet"):
        ids = dict.fromkeys(line.image_id.removeprefix("sha256:") for line in lines)
        write("".join(f"{image_id}\n" for image_id in ids))
        return 0
    match args.text("format"):
        case "json":
            write(compact_json([_record(line) for line in lines]) + "\n")
        case "table" | "":
            write(table_text(HEADER, [_row(line) for line in lines], min_width=20))
        case other:
            raise UsageError(f'format value "{other}" could not be parsed: parsing failed')
    return 0


def _record(line: ImageLine) -> dict[str, object]:
    return {
        "ID": line.image_id,
        "ContainerName": line.container,
        "Repository": line.repository,
        "Tag": line.tag,
        "Size": line.size_bytes,
    }


def _row(line: ImageLine) -> tuple[str, ...]:
    short = line.image_id.removeprefix("sha256:")[:12]
    return line.container, line.repository, line.tag, short, human_size(line.size_bytes)
