"""`orchestra ls`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError
from orchestra.cli.render.listing import compact_json
from orchestra.cli.render.table import table_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="ls [OPTIONS]",
    summary="List running compose projects",
    flags=(
        Flag("all", "Show all stopped Compose projects", short="a"),
        Flag("filter", "Filter output based on conditions provided", kind=LIST),
        Flag(
            "format",
            "Format the output. Values: [table | json]",
            kind=TEXT,
            default="table",
            choices=("table", "json"),
        ),
        Flag("quiet", "Only display project names", short="q"),
    ),
    max_args=0,
    examples=(("orchestra ls -a", "Stopped projects too"),),
)


def run(args: Args, context: Context) -> int:
    """Print the projects of this machine."""
    from orchestra.ops.ls import ls

    lines = ls(context.host().layout, stopped_too=args.on("all"))
    patterns = [_name_filter(text) for text in args.texts("filter")]
    if patterns:
        lines = tuple(line for line in lines if any(map(_matcher(line.name), patterns)))
    if args.on("quiet"):
        write("".join(f"{line.name}\n" for line in lines))
        return 0
    rows = [(line.name, line.status, ",".join(line.compose_files)) for line in lines]
    match args.text("format"):
        case "json":
            keys = ("Name", "Status", "ConfigFiles")
            write(compact_json([dict(zip(keys, row, strict=True)) for row in rows]) + "\n")
        case "table" | "":
            write(table_text(("NAME", "STATUS", "CONFIG FILES"), rows, min_width=20))
        case other:
            raise UsageError(f'format value "{other}" could not be parsed: parsing failed')
    return 0


def _name_filter(text: str) -> str:
    key, _equals, value = text.partition("=")
    if key != "name":
        raise UsageError(f"invalid filter '{key}'", fix="the only one is name")
    return value


def _matcher(name: str) -> Callable[[str], bool]:
    """Tells whether *name* is, or contains a match of, a pattern."""
    import re

    def matches(pattern: str) -> bool:
        try:
            return pattern == name or re.search(pattern, name) is not None
        except re.error:
            return False

    return matches
