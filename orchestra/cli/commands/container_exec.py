"""`orchestra container exec`."""

from __future__ import annotations

from orchestra.cli.context import is_terminal
from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="container exec [OPTIONS] CONTAINER COMMAND [ARG...]",
    summary="Execute a command in a running container",
    flags=(
        Flag("detach", "Detached mode: run command in the background", short="d"),
        Flag(
            "detach-keys",
            "Accepted and without effect: a command ends with its terminal",
            kind=TEXT,
        ),
        Flag("env", "Set environment variables", short="e", kind=LIST),
        Flag("env-file", "Read in a file of environment variables", kind=LIST),
        Flag("interactive", "Keep STDIN open even if not attached", short="i"),
        Flag("privileged", "Give extended privileges to the command"),
        Flag("tty", "Allocate a pseudo-TTY", short="t"),
        Flag("user", "Username or UID (format: <name|uid>[:<group|gid>])", short="u", kind=TEXT),
        Flag("workdir", "Working directory inside the container", short="w", kind=TEXT),
    ),
    min_args=2,
    interspersed=False,
    attends=True,
    examples=(("orchestra container exec -it box sh", "A shell in it"),),
)


def run(args: Args, context: Context) -> int:
    """Run the command; the exit code is that of the command."""
    from orchestra.cli.variables import variables
    from orchestra.errors import Conflict
    from orchestra.model.state import Status
    from orchestra.ops.container_find import find_container
    from orchestra.ops.exec import ExecOptions, exec_in_container

    context.refuse_dry_run()
    name, *argv = args.words
    if args.on("tty") and args.on("interactive") and not args.on("detach") and not is_terminal(0):
        raise UsageError("the input device is not a TTY", fix="leave -t out")
    layout = context.host().layout
    state = find_container(layout, name)
    if state.status == Status.PAUSED:
        raise Conflict(
            f"Container {name} is paused, unpause the container before exec",
            fix=f"`orchestra container unpause {name}`",
        )
    if state.status != Status.RUNNING:
        raise Conflict(
            f"container {name} is not running", fix=f"`orchestra container start {name}`"
        )
    options = ExecOptions(
        argv=tuple(argv),
        env=variables(args.texts("env-file"), args.texts("env"), context.environ),
        user=args.text("user"),
        cwd=args.text("workdir"),
        privileged=args.on("privileged"),
        tty=args.on("tty"),
        interactive=args.on("interactive"),
        detach=args.on("detach"),
    )
    return exec_in_container(layout, state, options)
