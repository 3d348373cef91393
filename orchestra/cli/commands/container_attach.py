"""`orchestra container attach`."""

from __future__ import annotations

from orchestra.cli.flags import TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container attach [OPTIONS] CONTAINER",
    summary="Attach local standard input, output, and error streams to a running container",
    flags=(
        Flag(
            "detach-keys",
            "Override the key sequence for detaching a container",
            kind=TEXT,
        ),
        Flag("no-stdin", "Do not attach STDIN"),
        Flag("sig-proxy", "Proxy all received signals to the process", default="true"),
    ),
    min_args=1,
    max_args=1,
    attends=True,
    examples=(("orchestra container attach box", "Ctrl-P Ctrl-Q leaves it alone again"),),
)


def run(args: Args, context: Context) -> int:
    """Attach; the exit code is the container's, 0 after the detach keys."""
    from orchestra.cli.commands.attach import told
    from orchestra.ops.attach import AttachOptions, attach_to
    from orchestra.ops.container_find import find_container

    context.refuse_dry_run()
    options = AttachOptions(
        stdin=not args.on("no-stdin"),
        sig_proxy=args.on("sig-proxy"),
        detach_keys=args.text("detach-keys"),
    )
    host = context.host()
    return told(attach_to(host, find_container(host.layout, args.words[0]), options))
