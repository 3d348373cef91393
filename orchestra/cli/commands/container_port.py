"""`orchestra container port`."""

from __future__ import annotations

from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container port CONTAINER [PRIVATE_PORT[/PROTO]]",
    summary="List port mappings or a specific mapping for the container",
    min_args=1,
    max_args=2,
    examples=(("orchestra container port web 80", "As 0.0.0.0:8080"),),
)


def run(args: Args, context: Context) -> int:
    """Print where the ports are published."""
    from orchestra.cli.context import write
    from orchestra.cli.flags import UsageError
    from orchestra.cli.render.published import published_text
    from orchestra.ops.container_find import find_container

    state = find_container(context.host().layout, args.words[0])
    wanted = args.words[1] if len(args.words) > 1 else ""
    if wanted and not wanted.partition("/")[0].isdecimal():
        raise UsageError(f'invalid port "{wanted}"', fix="use a container port, for example 80")
    write(published_text(state, wanted))
    return 0
