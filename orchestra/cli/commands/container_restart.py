"""`orchestra container restart`."""

from __future__ import annotations

from orchestra.cli.container_flags import STOP_FLAGS
from orchestra.cli.flags import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container restart [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Restart one or more containers",
    flags=STOP_FLAGS,
    min_args=1,
    examples=(
        (
            "orchestra container restart -t 2 web",
            "Stopped with two seconds of grace, and started again",
        ),
    ),
)


def run(args: Args, context: Context) -> int:
    """Restart them all at once, and name each."""
    from orchestra.cli.render.answers import tell_each
    from orchestra.ops import container_ask as ask

    context.refuse_dry_run()
    if args.text("signal"):  # the engine's own restart knows the container's signal only
        stop = ask.stop(args.text("signal"), args.seconds("time"))
        stopped = list(ask.ask_each(context.host(), args.words, stop))
        names = [answer.asked for answer in stopped if answer.error is None]
        failed = tell_each(answer for answer in stopped if answer.error is not None)
        return tell_each(ask.ask_each(context.host(), names, ask.start)) or failed
    request = ask.restart(args.seconds("time"))
    return tell_each(ask.ask_each(context.host(), args.words, request))
