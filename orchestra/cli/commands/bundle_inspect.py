"""`orchestra bundle inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.bundle.contents import Contents
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="bundle inspect [OPTIONS] BUNDLE",
    summary="Show what a bundle holds, and what it needs besides",
    flags=(
        Flag(
            "format", "Format the output. Values: [table | json]", kind=TEXT, default="table",
            choices=("table", "json"),
        ),
    ),
    min_args=1,
    max_args=1,
    examples=(("orchestra bundle inspect project.tar", "Reads only the beginning of the file"),),
)  # fmt: skip


def run(args: Args, context: Context) -> int:
    """Print the contents."""
    from orchestra.bundle.contents import encode_contents
    from orchestra.cli.render.text import harmless
    from orchestra.ops.bundle_up import bundle_contents

    del context
    form = args.text("format")
    if form not in COMMAND.flags[0].choices:
        raise UsageError(f'unsupported format "{form}"', fix="use table or json")
    contents = bundle_contents(args.words[0])
    if form == "json":
        write(encode_contents(contents).decode())
    else:
        write("".join(f"{harmless(line)}\n" for line in _lines(contents)))
    return 0


def _lines(contents: Contents) -> Iterator[str]:
    from orchestra.cli.render.size import human_size
    from orchestra.cli.render.table import table_text

    yield f"Project: {contents.project}"
    rows = [
        (image.name, image.id.removeprefix("sha256:")[:12], ", ".join(image.services))
        for image in contents.images
    ]
    yield from table_text(("IMAGE", "ID", "SERVICES"), rows).splitlines()
    rows = [
        (part.path, human_size(part.size_bytes), human_size(part.unpacked_bytes or part.size_bytes))
        for part in contents.parts
    ]
    yield from table_text(("PART", "SIZE", "UNPACKED"), rows).splitlines()
    for need in contents.needs:
        yield f"Not in the bundle: {need}"
