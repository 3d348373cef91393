"""`orchestra container inspect`."""

from __future__ import annotations

from functools import partial

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.layout import Layout

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
    from orchestra.cli.render.inspected import inspect_each

    look_up = partial(record, context.host().layout, size=args.on("size"))
    text, code = inspect_each(args.words, args.text("format"), look_up)
    write(text)
    return code


def record(layout: Layout, asked: str, *, size: bool) -> dict[str, object]:
    """The container that *asked* names, with *size* its sizes too. Raises NotFound."""
    from orchestra.cli.render.container_record import container_record
    from orchestra.ops.container_inspect import container_inspect

    return container_record(container_inspect(layout, asked, size=size), layout)
