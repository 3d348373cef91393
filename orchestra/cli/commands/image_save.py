"""`orchestra image save`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image save [OPTIONS] IMAGE [IMAGE...]",
    summary="Save one or more images to a tar archive (streamed to STDOUT by default)",
    flags=(Flag("output", "Write to a file, instead of STDOUT", short="o", kind=TEXT),),
    min_args=1,
    examples=(
        ("orchestra image save -o app.tar app:1", "For `docker load`, skopeo or `image load`"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Write the archive."""
    from orchestra.ops.image_save import image_save

    context.refuse_dry_run()
    image_save(context.host().layout, args.words, args.text("output"))
    return 0
