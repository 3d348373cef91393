"""`orchestra volume inspect`."""

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
    usage="volume inspect [OPTIONS] VOLUME [VOLUME...]",
    summary="Display detailed information on one or more volumes",
    flags=(Flag("format", "Format output: json or TEMPLATE", short="f", kind=TEXT),),
    min_args=1,
    examples=(("orchestra volume inspect -f '{{.Mountpoint}}' shop_data", "Where its data lies"),),
)


def run(args: Args, context: Context) -> int:
    """Print the volumes as JSON, or as the template says."""
    from orchestra.cli.render.inspected import inspect_each

    look_up = partial(record, context.host().layout)
    text, code = inspect_each(args.words, args.text("format"), look_up)
    write(text)
    return code


def record(layout: Layout, asked: str) -> dict[str, object]:
    """The volume that *asked* names. Raises NotFound."""
    from orchestra.cli.render.volumes import volume_record
    from orchestra.ops.volumes import inspect_volume

    return volume_record(inspect_volume(layout, asked))
