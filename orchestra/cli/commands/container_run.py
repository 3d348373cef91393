"""`orchestra container run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.container_flags import CREATE_FLAGS, RUN_FLAGS
from orchestra.cli.context import is_terminal, write
from orchestra.cli.flags import Command, UsageError

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.container import ContainerSpec
    from orchestra.ops.container_run import Front

COMMAND = Command(
    usage="container run [OPTIONS] IMAGE [COMMAND] [ARG...]",
    summary="Create and run a new container from an image",
    flags=tuple(sorted((*CREATE_FLAGS, *RUN_FLAGS))),
    min_args=1,
    interspersed=False,
    attends=True,
    failure_code=125,
    examples=(
        ("orchestra container run --rm -it host sh", "A shell on this machine's own programs"),
        ("orchestra container run -d --name web -p 8080:80 nginx", "In the background"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Run the container; in front of it the exit code is that of its command."""
    from orchestra.cli.commands.attach import told
    from orchestra.cli.container_making import PullDisplay, wanted_of, write_cidfile
    from orchestra.ops.container_run import run_attended, run_detached

    context.refuse_dry_run()
    detach = args.on("detach")
    if detach and args.texts("attach"):
        raise UsageError("conflicting options: cannot specify both --attach and --detach")
    front = _front(args)
    if front.stdin and args.on("tty") and not detach and not is_terminal(0):
        raise UsageError("the input device is not a TTY", fix="leave -t out")
    wanted = wanted_of(args, context, attaches=front.stdin and not detach)
    display = PullDisplay(args, context)

    def made(spec: ContainerSpec) -> None:
        display.close()
        write_cidfile(args, spec.id)
        if detach:
            write(f"{spec.id}\n")

    try:
        if detach:
            run_detached(context.host(), wanted, display.pulling(), made)
            return 0
        return told(run_attended(context.host(), wanted, display.pulling(), front, made))
    finally:
        display.close()


def _front(args: Args) -> Front:
    """-a names the streams; without it stdout and stderr, with -i stdin too."""
    from orchestra.cli.container_making import STREAMS
    from orchestra.ops.container_run import Front

    asked = {STREAMS.get(text.lower()) for text in args.texts("attach")}
    return Front(
        stdin=args.on("interactive") and (not asked or 0 in asked),
        shown=tuple(stream for stream in (1, 2) if not asked or stream in asked),
        signals=args.on("sig-proxy"),
        detach_keys=args.text("detach-keys"),
    )
