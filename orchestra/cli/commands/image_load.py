"""`orchestra image load`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image load [OPTIONS]",
    summary="Load an image from a tar archive or STDIN",
    flags=(
        Flag("input", "Read from tar archive file, instead of STDIN", short="i", kind=TEXT),
        Flag("quiet", "Suppress the load output", short="q"),
    ),
    max_args=0,
    examples=(
        ("orchestra image load -i app.tar", "What `docker save`, skopeo or `image save` wrote"),
        ("zcat app.tar.gz | orchestra image load", "From a pipe; compressed input is fine too"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Load the images and print their names."""
    from orchestra.ops.image_load import image_load

    context.refuse_dry_run()
    for image in image_load(context.host().layout, args.text("input")):
        for name in image.names:
            write(f"Loaded image: {name}\n")
        if not image.names:
            write(f"Loaded image ID: {image.id}\n")
    return 0
