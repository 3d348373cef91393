"""`orchestra system info`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="system info [OPTIONS]",
    summary="Display information about this machine and what orchestra keeps on it",
    flags=(Flag("format", "Format output: json or TEMPLATE", short="f", kind=TEXT),),
    max_args=0,
    examples=(("orchestra system info -f '{{.ServerVersion}} {{.CgroupVersion}}'", "Two of it"),),
)


def run(args: Args, context: Context) -> int:
    """Print it as text, JSON or as the template says."""
    from orchestra.cli.render.inspected import inspected_text
    from orchestra.cli.render.machine import info_record, info_text
    from orchestra.ops.system_info import system_info

    record = info_record(system_info(context.host().layout))
    template = args.text("format")
    write(inspected_text([record], template) if template else info_text(record))
    return 0
