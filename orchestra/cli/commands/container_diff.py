"""`orchestra container diff`."""

from __future__ import annotations

from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container diff CONTAINER",
    summary="Inspect changes to files or directories on a container's filesystem",
    min_args=1,
    max_args=1,
    examples=(("orchestra container diff web", "A is added, C changed, D deleted"),),
)


def run(args: Args, context: Context) -> int:
    """Print each change, by path."""
    from orchestra.cli.context import write
    from orchestra.ops.container_diff import container_diff
    from orchestra.ops.container_find import find_container

    host = context.host()
    changes = container_diff(host, find_container(host.layout, args.words[0]))
    write("".join(f"{change.kind.value} {change.path}\n" for change in changes))
    return 0
