"""`orchestra image inspect`."""

from __future__ import annotations

import json
import sys

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image inspect [OPTIONS] IMAGE [IMAGE...]",
    summary="Display detailed information on one or more images",
    flags=(Flag("format", "Format output: json or TEMPLATE", short="f", kind=TEXT),),
    min_args=1,
    examples=(("orchestra image inspect -f '{{.Config.Cmd}}' redis:7", "What it runs by default"),),
)


def run(args: Args, context: Context) -> int:
    """Print the images as JSON, or as the template says; then tell which there are not."""
    from orchestra.cli.render.listing import Item, compact_json, listing_text
    from orchestra.errors import NotFound
    from orchestra.ops.image_inspect import image_inspect

    found: list[dict[str, object]] = []
    missing: list[NotFound] = []
    for reference in args.words:
        try:
            found.append(image_inspect(context.host().layout, reference))
        except NotFound as exc:
            missing.append(exc)
    template = args.text("format")
    if template == "json":
        write("".join(f"{compact_json(image)}\n" for image in found))
    elif template:
        items = [Item(image) for image in found]
        write(listing_text(items, template, headers={}, columns=()))
    else:
        write(json.dumps(found, indent=4, ensure_ascii=False) + "\n")
    for error in missing[1:]:
        sys.stderr.write(f"{error}\n")
    if missing:
        raise missing[0]
    return 0
