"""`orchestra exec`."""

from __future__ import annotations

from orchestra.cli.flags import LIST, NUMBER, TEXT, Command, Flag

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
    examples=(
        ("orchestra exec web sh", "A shell in the container of `web`"),
        ("orchestra exec -T db pg_dump app > dump.sql", "Without a terminal, for pipes"),
    ),
)
