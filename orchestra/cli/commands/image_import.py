"""`orchestra image import`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image import [OPTIONS] FILE|- [REPOSITORY[:TAG]]",
    summary="Import the contents from a tarball to create a filesystem image",
    flags=(
        Flag("change", "Apply Dockerfile instruction to the image", short="c", kind=LIST),
        Flag("message", "Set commit message for imported image", short="m", kind=TEXT),
        Flag("platform", "Set platform if server is multi-platform capable", kind=TEXT),
    ),
    min_args=1,
    max_args=2,
    examples=(
        ("mmdebstrap bookworm - | orchestra image import - debian:12", "A Debian of one's own"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Make the image and print its id."""
    from orchestra.ops.image_import import ImportOptions, image_import

    context.refuse_dry_run()
    options = ImportOptions(
        source=args.words[0],
        name=args.words[1] if len(args.words) > 1 else "",
        changes=args.texts("change"),
        message=args.text("message"),
        platform=args.text("platform"),
    )
    write(image_import(context.host().layout, options) + "\n")
    return 0
