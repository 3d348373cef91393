"""`orchestra run`."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from orchestra.cli.commands.attach import told
from orchestra.cli.commands.exec import assignment
from orchestra.cli.context import is_terminal, write
from orchestra.cli.creation import pull_policy, refuse_together
from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError
from orchestra.cli.located import load_project
from orchestra.cli.prebuild import Asked, build_first
from orchestra.cli.render.progress import open_display, quiet
from orchestra.errors import ConfigError, Unsupported

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.ops.run import RunOptions
    from orchestra.plan.oneoff import Override

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
    attends=True,
    examples=(
        ("orchestra run --rm web sh", "A shell in a new container of `web`"),
        ("orchestra run --rm -T web ./manage.py migrate", "A task, without a terminal"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Run the command in a new container; the exit code is that of the command."""
    from orchestra.ops.run import OneOff

    refuse_together(args, "service-ports", "publish")
    project = load_project(context, args.words[:1])
    if context.options.dry_run:
        return _rehearse(args, context, project)
    options = _options(args, context)
    if not args.on("quiet"):
        asked = Asked((options.service,), options.dependencies, options.building, options.pull)
        building = build_first(context, project, asked, lambda _: None)
        options = options._replace(building=building)
    with OneOff(context.host(), project, options) as oneoff:
        if args.on("quiet"):
            identifier = oneoff.start(quiet)
        else:
            with open_display(context, "run") as report:
                identifier = oneoff.start(report)
        if args.on("detach"):
            write(f"{identifier}\n")
            return 0
        return told(oneoff.attend())


def _rehearse(args: Args, context: Context, project: Project) -> int:
    """Tell what would be made and started. Raises Unsupported for what would be attached to."""
    from orchestra.ops.rehearse_run import rehearse_run

    with open_display(context, "run", rehearses=True) as report:
        name = rehearse_run(context.host(), project, _options(args, context), report)
    if not args.on("detach"):
        raise Unsupported("interactive run is not supported in dry-run mode", fix="add -d")
    write(f"{name}\n")
    return 0


def _options(args: Args, context: Context) -> RunOptions:
    from orchestra.ops.building import Building
    from orchestra.ops.run import RunOptions
    from orchestra.plan.desired import Dependencies

    return RunOptions(
        service=args.words[0],
        override=_override(args, context),
        dependencies=Dependencies.LEFT_OUT if args.on("no-deps") else Dependencies.INCLUDED,
        detach=args.on("detach"),
        remove=args.on("rm"),
        interactive=args.on("interactive"),
        pull=pull_policy(args),
        quiet_pull=args.on("quiet-pull"),
        building=Building.ALWAYS if args.on("build") else Building.MISSING,
    )


def _override(args: Args, context: Context) -> Override:
    from orchestra.plan.oneoff import Override

    extra = _as_service(args, context)
    wants_terminal = args.on("tty") and not args.on("no-tty") and not args.on("detach")
    return Override(
        command=args.words[1:],
        entrypoint=_entrypoint(args),
        environment=_environment(args, context),
        labels=tuple(_label(text) for text in args.texts("label")),
        user=args.text("user"),
        working_dir=args.text("workdir"),
        cap_add=args.texts("cap-add"),
        cap_drop=args.texts("cap-drop"),
        volumes=extra.volumes,
        publish=tuple(port.port for port in extra.ports),
        service_ports=args.on("service-ports"),
        use_aliases=args.on("use-aliases"),
        name=args.text("name"),
        tty=wants_terminal and is_terminal(0) and is_terminal(1),
    )


def _as_service(args: Args, context: Context) -> Service:
    """`--volume` and `--publish` are the short syntax of compose files, so the loader reads them.

    Raises UsageError.
    """
    from orchestra.config import shortforms
    from orchestra.config.bind_service import bind_service

    try:
        volumes = [shortforms.volume(text) for text in args.texts("volume")]
        tree = {"volumes": volumes, "ports": shortforms.ports(list(args.texts("publish")))}
    except (ConfigError, ValueError) as exc:
        raise UsageError(str(exc)) from exc
    for volume in volumes:
        if volume.get("type") == "bind":
            source = os.path.expanduser(volume["source"])
            volume["source"] = os.path.normpath(os.path.join(context.cwd, source))
    return bind_service(args.words[0], tree)


def _entrypoint(args: Args) -> tuple[str, ...] | None:
    if "entrypoint" not in args.given:
        return None
    try:
        return tuple(shlex.split(args.text("entrypoint")))
    except ValueError as exc:
        raise UsageError(f"--entrypoint: {exc}") from exc


def _environment(args: Args, context: Context) -> tuple[tuple[str, str], ...]:
    """`--env` over the variables of `--env-from-file`. Raises UsageError."""
    from orchestra.config.dotenv import parse_dotenv

    variables: dict[str, str] = {}
    for path in args.texts("env-from-file"):
        try:
            with open(path, encoding="utf-8") as file:
                parse_dotenv(file.read(), path, context.environ.get, variables)
        except OSError as exc:
            raise UsageError(f"cannot read {path}: {exc.strerror}") from exc
    variables.update(assignment(text, context.environ) for text in args.texts("env"))
    return tuple(variables.items())


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError("label must be set as KEY=VALUE")
    return key, value
