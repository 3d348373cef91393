"""`orchestra volumes`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag
from orchestra.cli.located import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="volumes [OPTIONS] [SERVICE...]",
    summary="List volumes",
    flags=(
        Flag(
            "format",
            "Format output: table, json, table TEMPLATE or TEMPLATE",
            kind=TEXT,
            default="table",
        ),
        Flag("quiet", "Only display volume names", short="q"),
    ),
    examples=(("orchestra volumes -q", "The names of the project's volumes"),),
)


def run(args: Args, context: Context) -> int:
    """Print the volumes of this project, or those that the named services mount."""
    from orchestra.cli.render.volumes import volumes_text
    from orchestra.ops.volumes import project_volumes

    found = project_volumes(context.host().layout, target(context, args.words))
    write(volumes_text(found, args.text("format"), quiet=args.on("quiet")))
    return 0
