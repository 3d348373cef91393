"""`orchestra docker buildx version`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="buildx version",
    summary="Show the release of buildx whose `build` this is",
    max_args=0,
    examples=(("orchestra buildx version", "With orchestra's own version"),),
)


def run(args: Args, context: Context) -> int:  # noqa: ARG001 (every command has this signature)
    """Print one line in the form of buildx."""
    from orchestra import __version__
    from orchestra.cli.render.machine import BUILDX_RELEASE

    write(f"github.com/docker/buildx v{BUILDX_RELEASE} orchestra-{__version__}\n")
    return 0
