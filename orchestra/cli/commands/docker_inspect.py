"""`orchestra docker inspect`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

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
    looks = [_look(each, args, context) for each in KINDS if kind in ("", each)]

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


def _look(kind: str, args: Args, context: Context) -> Callable[[str], dict[str, object]]:
    layout = context.host().layout
    if kind == "container":
        from orchestra.cli.render.container_record import container_record
        from orchestra.ops.container_inspect import container_inspect

        size = args.on("size")
        return lambda asked: container_record(container_inspect(layout, asked, size=size), layout)
    if kind == "image":
        from orchestra.ops.image_inspect import image_inspect

        return lambda asked: image_inspect(layout, asked)
    if kind == "network":
        from orchestra.cli.render.networks import network_record
        from orchestra.ops.networks import find_network, members

        def network(asked: str) -> dict[str, object]:
            found = find_network(layout, asked)
            return network_record(found, members(layout, found.spec.name))

        return network
    from orchestra.cli.render.volumes import volume_record
    from orchestra.ops.volumes import inspect_volume

    return lambda asked: volume_record(inspect_volume(layout, asked))
