"""`orchestra container stop`."""

from __future__ import annotations

from orchestra.cli.flags import NUMBER, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container stop [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Stop one or more running containers",
    flags=(
        Flag("signal", "Signal to send to the container", short="s", kind=TEXT),
        Flag(
            "time",
            "Seconds to wait before killing the container",
            short="t",
            kind=NUMBER,
            aliases=("timeout",),
        ),
    ),
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
