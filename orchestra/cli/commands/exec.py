"""`orchestra exec`."""

from __future__ import annotations

from orchestra.cli.context import is_terminal
from orchestra.cli.flags import LIST, NUMBER, TEXT, Command, Flag
from orchestra.cli.located import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="exec [OPTIONS] SERVICE COMMAND [ARGS...]",
    summary="Execute a command in a running container",
    flags=(
        Flag("detach", "Detached mode: Run command in the background", short="d"),
        Flag("env", "Set environment variables", short="e", kind=LIST),
        Flag("index", "Index of the container if service has multiple replicas", kind=NUMBER),
        Flag(
            "interactive",
            "Keep STDIN open even if not attached",
            short="i",
            default="true",
            hidden=True,
        ),
        Flag(
            "no-tty",
            "Disable pseudo-TTY allocation. By default 'orchestra exec' allocates a TTY.",
            short="T",
            aliases=("no-TTY",),
        ),
        Flag("privileged", "Give extended privileges to the process"),
        Flag("tty", "Allocate a pseudo-TTY", short="t", default="true", hidden=True),
        Flag("user", "Run the command as this user", short="u", kind=TEXT),
        Flag("workdir", "Path to workdir directory for this command", short="w", kind=TEXT),
    ),
    min_args=2,
    interspersed=False,
    attends=True,
    examples=(
        ("orchestra exec web sh", "A shell in the container of `web`"),
        ("orchestra exec -T db pg_dump app > dump.sql", "Without a terminal, for pipes"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Run the command; the exit code is that of the command."""
    from orchestra.ops.exec import ExecOptions, exec_in

    context.refuse_dry_run()
    service, *argv = args.words
    options = ExecOptions(
        argv=tuple(argv),
        env=tuple(assignment(text, context.environ) for text in args.texts("env")),
        user=args.text("user"),
        cwd=args.text("workdir"),
        privileged=args.on("privileged"),
        tty=args.on("tty") and not args.on("no-tty") and is_terminal(0) and is_terminal(1),
        interactive=args.on("interactive"),
        detach=args.on("detach"),
        number=args.number("index"),
    )
    return exec_in(context.host().layout, target(context, (service,)), options)


def assignment(text: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """NAME=VALUE, or NAME with the caller's value."""
    name, equals, value = text.partition("=")
    return name, value if equals else environ.get(name, "")
