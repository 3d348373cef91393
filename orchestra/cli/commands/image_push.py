"""`orchestra image push`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import Command, Flag
from orchestra.cli.render.progress import open_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.image.reference import Reference

COMMAND = Command(
    usage="image push [OPTIONS] NAME[:TAG]",
    summary="Upload an image to a registry",
    flags=(
        Flag("all-tags", "Push all tags of an image to the repository", short="a"),
        Flag("quiet", "Suppress verbose output", short="q"),
    ),
    min_args=1,
    max_args=1,
    examples=(("orchestra image push host:5000/app:1", "After `orchestra login host:5000`"),),
)


def run(args: Args, context: Context) -> int:
    """Push the image and print its digest."""
    from orchestra.ops.image_push import image_push

    quiet = args.on("quiet")

    def begin(reference: Reference) -> None:
        if not quiet:
            write(f"The push refers to repository [{reference.name}]\n")

    with open_display(context, "Pushing", quietly=quiet) as report:
        done = image_push(
            context.host().layout,
            context.environ,
            args.words[0],
            report,
            begin,
            all_tags=args.on("all-tags"),
        )
    for reference, pushed in done:
        if quiet:
            write(f"{reference}\n")
        else:
            write(f"{reference.tag}: digest: {pushed.digest} size: {pushed.size_bytes}\n")
    return 0
