"""`orchestra container unpause`."""

from __future__ import annotations

from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container unpause CONTAINER [CONTAINER...]",
    summary="Unpause all processes within one or more containers",
    min_args=1,
    examples=(("orchestra container unpause web", "Its processes go on"),),
)


def run(args: Args, context: Context) -> int:
    """Thaw each."""
    from orchestra.cli.render.answers import tell_each
    from orchestra.ops import container_ask as ask

    context.refuse_dry_run()
    return tell_each(ask.ask_each(context.host(), args.words, ask.unpause))
