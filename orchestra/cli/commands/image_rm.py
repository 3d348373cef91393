"""`orchestra image rm`."""

from __future__ import annotations

import sys

from orchestra.cli.context import write
from orchestra.cli.flags import Command, Flag
from orchestra.cli.render.images import removed_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image rm [OPTIONS] IMAGE [IMAGE...]",
    summary="Remove one or more images",
    flags=(
        Flag("force", "Force removal of the image", short="f"),
        Flag("no-prune", "Do not delete untagged parents (there are none here)", hidden=True),
    ),
    min_args=1,
    examples=(
        ("orchestra image rm redis:7", "Take the name away; with its last name the image goes"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Remove each image; what cannot be removed does not hold up the others."""
    from orchestra.errors import OrchestraError
    from orchestra.ops.image_rm import image_rm

    context.refuse_dry_run()
    code = 0
    for reference in args.words:
        try:
            removed = image_rm(context.host().layout, reference, force=args.on("force"))
        except OrchestraError as exc:
            if len(args.words) == 1:
                raise
            sys.stderr.write(f"{exc}\n")
            code = exc.exit_code
            continue
        write("".join(f"{line}\n" for line in removed_lines(removed)))
    return code
