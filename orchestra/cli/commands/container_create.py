"""`orchestra container create`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.container_flags import CREATE_FLAGS
from orchestra.cli.context import write
from orchestra.cli.flags import Command

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container create [OPTIONS] IMAGE [COMMAND] [ARG...]",
    summary="Create a new container",
    flags=CREATE_FLAGS,
    min_args=1,
    interspersed=False,
    examples=(("orchestra container create --name box -it host sh", "Not started yet"),),
)


def run(args: Args, context: Context) -> int:
    """Make the container and print its id."""
    from orchestra.cli.container_making import PullDisplay, wanted_of, write_cidfile
    from orchestra.ops.container_run import container_create

    context.refuse_dry_run()
    wanted = wanted_of(args, context)
    display = PullDisplay(args, context)
    try:
        spec = container_create(context.host(), wanted, display.pulling())
    finally:
        display.close()
    write_cidfile(args, spec.id)
    write(f"{spec.id}\n")
    return 0
