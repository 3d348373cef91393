"""`orchestra container inspect`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container inspect [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Display detailed information on one or more containers",
    flags=(
        Flag("format", "Format output: json or TEMPLATE", short="f", kind=TEXT),
        Flag("size", "Display total file sizes", short="s"),
    ),
    min_args=1,
    examples=(("orchestra container inspect -f '{{.State.Status}}' web", "Does it run?"),),
)


def run(args: Args, context: Context) -> int:
    """Print the containers as JSON, or as the template says."""
    from orchestra.cli.render.container_record import container_record
    from orchestra.cli.render.inspected import inspect_each
    from orchestra.ops.container_inspect import container_inspect

    layout = context.host().layout

    def record(asked: str) -> dict[str, object]:
        return container_record(container_inspect(layout, asked, size=args.on("size")), layout)

    text, code = inspect_each(args.words, args.text("format"), record)
    write(text)
    return code
