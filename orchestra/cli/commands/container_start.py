"""`orchestra container start`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container start [OPTIONS] CONTAINER [CONTAINER...]",
    summary="Start one or more stopped containers",
    flags=(
        Flag("attach", "Attach STDOUT/STDERR and forward signals", short="a"),
        Flag(
            "detach-keys",
            "Override the key sequence for detaching a container",
            kind=TEXT,
        ),
        Flag("interactive", "Attach container's STDIN", short="i"),
        Flag("sig-proxy", "Proxy all received signals to the process", default="true", hidden=True),
    ),
    min_args=1,
    examples=(("orchestra container start -ai box", "In front of it, until it ends"),),
)


def run(args: Args, context: Context) -> int:
    """Start them all at once and name each; in front of one the exit code is the container's."""
    context.refuse_dry_run()
    if args.on("attach") or args.on("interactive"):
        return _attended(args, context)
    from orchestra.cli.render.answers import tell_each
    from orchestra.ops import container_ask as ask

    return tell_each(ask.ask_each(context.host(), args.words, ask.start))


def _attended(args: Args, context: Context) -> int:
    from orchestra.cli.commands.attach import told
    from orchestra.model.state import ALIVE
    from orchestra.ops.attach import AttachOptions, attach_to
    from orchestra.ops.container_find import find_container

    if len(args.words) > 1:
        raise UsageError("you cannot start and attach multiple containers at once")
    host = context.host()
    state = find_container(host.layout, args.words[0])
    options = AttachOptions(
        stdin=args.on("interactive"),
        sig_proxy=args.on("sig-proxy"),
        detach_keys=args.text("detach-keys"),
        starts=state.status not in ALIVE,
    )
    return told(attach_to(host, state, options))
