"""`orchestra up`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.cli.creation import CREATION_FLAGS, creation_options, refuse_together
from orchestra.cli.flags import LIST, NUMBER, TEXT, Command, Flag, UsageError
from orchestra.cli.located import expect_supervisor, load_project
from orchestra.cli.prebuild import up_after_builds
from orchestra.cli.render.progress import open_display

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.project import Project
    from orchestra.ops.up import UpOptions

COMMAND = Command(
    usage="up [OPTIONS] [SERVICE...]",
    summary="Create and start containers",
    flags=(
        *CREATION_FLAGS,
        Flag(
            "abort-on-container-exit",
            "Stops all containers if any container was stopped. Incompatible with -d",
        ),
        Flag(
            "abort-on-container-failure",
            "Stops all containers if any container exited with failure. Incompatible with -d",
        ),
        Flag(
            "always-recreate-deps",
            "Recreate dependent containers. Incompatible with --no-recreate.",
        ),
        Flag(
            "attach",
            "Restrict attaching to the specified services. Incompatible with "
            "--attach-dependencies.",
            kind=LIST,
        ),
        Flag(
            "attach-dependencies",
            "Automatically attach to log output of dependent services",
        ),
        Flag("detach", "Detached mode: Run containers in the background", short="d"),
        Flag(
            "exit-code-from",
            "Return the exit code of the selected service container. Implies "
            "--abort-on-container-exit",
            kind=TEXT,
        ),
        Flag(
            "menu",
            "Enable interactive shortcuts when running attached. Incompatible with --detach. Can "
            "also be enable/disable by setting COMPOSE_MENU environment var.",
        ),
        Flag(
            "no-attach",
            "Do not attach (stream logs) to the specified services",
            kind=LIST,
        ),
        Flag("no-color", "Produce monochrome output"),
        Flag("no-deps", "Don't start linked services"),
        Flag("no-log-prefix", "Don't print prefix in logs"),
        Flag("no-start", "Don't start the services after creating them"),
        Flag("quiet-build", "Suppress the build output"),
        Flag(
            "renew-anon-volumes",
            "Recreate anonymous volumes instead of retrieving data from the previous containers",
            short="V",
        ),
        Flag(
            "timeout",
            "Use this timeout in seconds for container shutdown when attached or when containers "
            "are already running",
            short="t",
            kind=NUMBER,
        ),
        Flag("timestamps", "Show timestamps"),
        Flag("wait", "Wait for services to be running|healthy. Implies detached mode."),
        Flag(
            "wait-timeout",
            "Maximum duration in seconds to wait for the project to be running|healthy",
            kind=NUMBER,
        ),
        Flag(
            "watch",
            "Watch source code and rebuild/refresh containers when files are updated.",
            short="w",
        ),
    ),
    examples=(
        ("orchestra up -d", "Start everything in the background"),
        ("orchestra up --build web", "Build and start `web` and what it depends on"),
        ("orchestra up --wait", "Return when all services are healthy"),
    ),
)

ATTACHING = (
    "abort-on-container-exit",
    "abort-on-container-failure",
    "attach",
    "attach-dependencies",
    "exit-code-from",
    "watch",
)
"""Flags that make sense only in the foreground."""


def run(args: Args, context: Context) -> int:
    """Bring the project up; in the foreground show its logs until it ends or is interrupted."""
    if not context.options.dry_run:
        expect_supervisor(context)
    options = up_options(args, context)
    project = load_project(context, args.words)
    return bring_up(args, context, project, options)


def bring_up(args: Args, context: Context, project: Project, options: UpOptions) -> int:
    """`up`, once it is known of which project."""
    if not project.services and not project.disabled_services:
        raise UsageError("no service selected")
    in_background = args.on("detach") or args.on("wait") or args.on("no-start")
    if context.options.dry_run:
        return _rehearse(context, project, options, in_background=in_background)
    options = up_after_builds(context, project, options)
    if in_background:
        return _up_detached(context, project, options)
    from orchestra.cli.attached import up_attached

    if args.on("watch"):
        from orchestra.ops.watch import watch_rules

        watch_rules(project, options.services, lambda _: None)  # told before anything starts

    return up_attached(args, context, project, options)


def _up_detached(context: Context, project: Project, options: UpOptions) -> int:
    from orchestra.ops.up import up

    with open_display(context, "up") as report:
        up(context.host(), project, options, report)
    return 0


def _rehearse(
    context: Context, project: Project, options: UpOptions, *, in_background: bool
) -> int:
    """Tell what would be done, without the part that would show logs."""
    from orchestra.ops.up import rehearse_up

    with open_display(context, "up", rehearses=True) as report:
        rehearse_up(context.host(), project, options, report)
    if not in_background:
        sys.stderr.write("end of 'up' output, interactive run is not supported in dry-run mode\n")
    return 0


def up_options(args: Args, context: Context) -> UpOptions:
    """What *args* ask for. Raises UsageError for flags that exclude each other."""
    from orchestra.plan.decide import Recreate
    from orchestra.plan.desired import Dependencies

    _refuse_contradictions(args)
    options = creation_options(args, context)
    seconds = args.number("wait-timeout")
    if args.on("always-recreate-deps"):
        options = options._replace(recreate_dependencies=Recreate.FORCE)
    return options._replace(
        dependencies=Dependencies.LEFT_OUT if args.on("no-deps") else Dependencies.INCLUDED,
        renew_anonymous_volumes=args.on("renew-anon-volumes"),
        start=not args.on("no-start"),
        stop_grace_s=args.seconds("timeout"),
        wait=args.on("wait"),
        wait_timeout_s=float(seconds) if seconds else None,
    )


def _refuse_contradictions(args: Args) -> None:
    if args.number("wait-timeout") < 0:
        raise UsageError("--wait-timeout must be a non-negative integer")
    refuse_together(args, "no-build", "watch")
    refuse_together(args, "abort-on-container-failure", "abort-on-container-exit")
    refuse_together(args, "no-recreate", "renew-anon-volumes")
    refuse_together(args, "always-recreate-deps", "no-recreate")
    for mode in ("wait", "detach"):
        clashing = [name for name in ATTACHING if name in args.given]
        if args.on(mode) and clashing:
            raise UsageError(f"--{mode} cannot be combined with --{clashing[0]}")
