"""`orchestra export`."""

from __future__ import annotations

from orchestra.cli.context import is_terminal
from orchestra.cli.flags import NUMBER, TEXT, Command, Flag, UsageError
from orchestra.cli.located import target
from orchestra.cli.render.progress import open_display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="export [OPTIONS] SERVICE",
    summary="Export a service container's filesystem as a tar archive",
    flags=(
        Flag("index", "index of the container if service has multiple replicas.", kind=NUMBER),
        Flag("output", "Write to a file, instead of STDOUT", short="o", kind=TEXT),
    ),
    min_args=1,
    max_args=1,
    examples=(("orchestra export -o web.tar web", "Without its volumes"),),
)


def run(args: Args, context: Context) -> int:
    """Write the archive; progress is told on stderr."""
    from orchestra.ops.export import export

    output = args.text("output")
    if not output and is_terminal(1) and not context.options.dry_run:
        raise UsageError(
            "output option is required when exporting to terminal", fix="add -o FILE, or a pipe"
        )
    where = target(context, args.words)
    with open_display(context, "export", rehearses=True) as report:
        export(
            context.host(),
            where,
            output,
            report,
            index=args.number("index"),
            dry_run=context.options.dry_run,
        )
    return 0
