"""`orchestra container kill`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container kill [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Kill one or more running containers",
    flags=(
        Flag("signal", "Signal to send to the container", short="s", kind=TEXT, default="KILL"),
    ),
    min_args=1,
    examples=(("orchestra container kill -s HUP web", "Any signal, by name or number"),),
)


def run(args: Args, context: Context) -> int:
    """Send each the signal."""
    from orchestra.cli.render.answers import tell_each
    from orchestra.ops import container_ask as ask

    context.refuse_dry_run()
    request = ask.kill(args.text("signal") or "KILL")
    return tell_each(ask.ask_each(context.host(), args.words, request))
