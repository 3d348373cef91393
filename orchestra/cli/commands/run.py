"""`orchestra run`."""

from __future__ import annotations

from orchestra.cli.flags import LIST, TEXT, Command, Flag

COMMAND = Command(
    usage="run [OPTIONS] SERVICE [COMMAND] [ARGS...]",
    summary="Run a one-off command on a service",
    flags=(
        Flag("build", "Build image before starting container"),
        Flag("cap-add", "Add Linux capabilities", kind=LIST),
        Flag("cap-drop", "Drop Linux capabilities", kind=LIST),
        Flag("detach", "Run container in background and print container ID", short="d"),
        Flag("entrypoint", "Override the entrypoint of the image", kind=TEXT),
        Flag("env", "Set environment variables", short="e", kind=LIST),
        Flag("env-from-file", "Set environment variables from file", kind=LIST),
        Flag(
            "interactive",
            "Keep STDIN open even if not attached",
            short="i",
            default="true",
        ),
        Flag("label", "Add or override a label", short="l", kind=LIST),
        Flag("name", "Assign a name to the container", kind=TEXT),
        Flag("no-deps", "Don't start linked services"),
        Flag(
            "no-tty",
            "Disable pseudo-TTY allocation (default: auto-detected)",
            short="T",
            aliases=("no-TTY",),
        ),
        Flag("publish", "Publish a container's port(s) to the host", short="p", kind=LIST),
        Flag(
            "pull",
            'Pull image before running ("always"|"missing"|"never")',
            kind=TEXT,
            default="policy",
            choices=("always", "missing", "never"),
        ),
        Flag("quiet", "Don't print anything to STDOUT", short="q"),
        Flag("quiet-build", "Suppress progress output from the build process"),
        Flag("quiet-pull", "Pull without printing progress information"),
        Flag(
            "remove-orphans",
            "Remove containers for services not defined in the Compose file",
        ),
        Flag("rm", "Automatically remove the container when it exits"),
        Flag(
            "service-ports",
            "Run command with all service's ports enabled and mapped to the host",
            short="P",
        ),
        Flag("tty", "Allocate a pseudo-TTY", short="t", default="true", hidden=True),
        Flag(
            "use-aliases",
            "Use the service's network useAliases in the network(s) the container connects to",
        ),
        Flag("user", "Run as specified username or uid", short="u", kind=TEXT),
        Flag("volume", "Bind mount a volume", short="v", kind=LIST, aliases=("volumes",)),
        Flag("workdir", "Working directory inside the container", short="w", kind=TEXT),
    ),
    min_args=1,
    interspersed=False,
    examples=(
        ("orchestra run --rm web sh", "A shell in a new container of `web`"),
        ("orchestra run --rm -T web ./manage.py migrate", "A task, without a terminal"),
    ),
)
