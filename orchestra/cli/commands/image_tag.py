"""`orchestra image tag`."""

from __future__ import annotations

from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="image tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    summary="Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    min_args=2,
    max_args=2,
    examples=(("orchestra image tag app:1 localhost:5000/app:1", "A name that can be pushed"),),
)


def run(args: Args, context: Context) -> int:
    """Give an image one more name."""
    from orchestra.ops.image_tag import image_tag

    context.refuse_dry_run()
    image_tag(context.host().layout, *args.words)
    return 0
