"""`orchestra image pull`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag
from orchestra.cli.render.progress import open_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.image.reference import Reference

COMMAND = Command(
    usage="image pull [OPTIONS] NAME[:TAG|@DIGEST]",
    summary="Download an image from a registry",
    flags=(
        Flag("all-tags", "Download all tagged images in the repository", short="a"),
        Flag("platform", "Set platform if server is multi-platform capable", kind=TEXT),
        Flag("quiet", "Suppress verbose output", short="q"),
    ),
    min_args=1,
    max_args=1,
    examples=(
        ("orchestra image pull redis:7", "From Docker Hub"),
        ("orchestra image pull host:5000/app --platform linux/arm64", "For another machine"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Pull the image, or all of its repository."""
    if not args.on("all-tags"):
        _pull(args.words[0], args, context)
        return 0
    from orchestra.ops.image_pull import all_tags

    for name in all_tags(context.environ, args.words[0]):
        _pull(name, args, context)
    return 0


def _pull(name: str, args: Args, context: Context) -> None:
    """Pull one image and print its digest and name."""
    from orchestra.ops.image_pull import image_pull

    quiet = args.on("quiet")

    def begin(reference: Reference) -> None:
        if quiet:
            return
        if reference.tag == "latest" and not name.endswith(":latest"):
            write("Using default tag: latest\n")
        write(f"{reference.target}: Pulling from {reference.path}\n")

    with open_display(context, "Pulling", quietly=quiet) as report:
        found = image_pull(context.host(), name, args.text("platform"), report, begin)
    familiar = found.reference.familiar
    if not quiet:
        write(f"Digest: {found.digest}\n")
        status = "Downloaded newer image for" if found.is_new else "Image is up to date for"
        write(f"Status: {status} {familiar}\n")
    write(f"{found.reference}\n")
