"""`orchestra container stop`."""

from __future__ import annotations

from orchestra.cli.container_flags import STOP_FLAGS
from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container stop [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Stop one or more running containers",
    flags=STOP_FLAGS,
    min_args=1,
    examples=(
        ("orchestra container stop -t 2 cache", "Killed if it takes longer than two seconds"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Stop them all at once, and name each."""
    from orchestra.cli.render.answers import tell_each
    from orchestra.ops import container_ask as ask

    context.refuse_dry_run()
    request = ask.stop(args.text("signal"), args.seconds("time"))
    return tell_each(ask.ask_each(context.host(), args.words, request))
