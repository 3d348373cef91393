"""`orchestra docker inspect`."""

from __future__ import annotations

from functools import partial

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.layout import Layout

KINDS = ("container", "image", "network", "volume")

COMMAND = Command(
    usage="docker inspect [OPTIONS] OBJECT [OBJECT...]",
    summary="Display detailed information on containers, images, networks and volumes",
    flags=(
        Flag("format", "Format output: json or TEMPLATE", short="f", kind=TEXT),
        Flag("size", "Display total file sizes if the type is container", short="s"),
        Flag("type", "Only inspect objects of the given type", kind=TEXT, choices=KINDS),
    ),
    min_args=1,
    examples=(("orchestra docker inspect --type image host", "An image, not a container"),),
)


def run(args: Args, context: Context) -> int:
    """Print the first object of each name, looked for as containers, images, networks, volumes."""
    from orchestra.cli.flags import UsageError
    from orchestra.cli.render.inspected import inspect_each
    from orchestra.errors import NotFound

    kind = args.text("type")
    if kind and kind not in KINDS:
        raise UsageError(f'"{kind}" is not a valid value for --type', fix=", ".join(KINDS))
    layout = context.host().layout
    looks = [_look_up(each, args, layout) for each in KINDS if kind in ("", each)]

    def record(asked: str) -> dict[str, object]:
        for look in looks:
            try:
                return look(asked)
            except NotFound:
                continue
        raise NotFound(f"No such {kind or 'object'}: {asked}")

    text, code = inspect_each(args.words, args.text("format"), record)
    write(text)
    return code


def _look_up(kind: str, args: Args, layout: Layout) -> Callable[[str], dict[str, object]]:
    """What describes an object of *kind*, as `orchestra KIND inspect` does."""
    from orchestra.cli.commands import container_inspect, network_inspect, volume_inspect
    from orchestra.ops.image_inspect import image_inspect

    if kind == "container":
        return partial(container_inspect.record, layout, size=args.on("size"))
    if kind == "image":
        return partial(image_inspect, layout)
    return partial((network_inspect if kind == "network" else volume_inspect).record, layout)
