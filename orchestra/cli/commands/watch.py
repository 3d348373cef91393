"""`orchestra watch`."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from orchestra.cli.flags import Command, Flag, UsageError
from orchestra.cli.located import expect_supervisor, load_project
from orchestra.cli.render.text import YELLOW, harmless, paint

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.project import Project
    from orchestra.ops.watch import WatchOptions

COMMAND = Command(
    usage="watch [SERVICE...]",
    summary="Watch build context for service and rebuild/refresh containers when files are updated",
    flags=(
        Flag("no-up", "Do not build & start services before watching"),
        Flag("prune", "Prune dangling images on rebuild", default="true"),
        Flag("quiet", "hide build output"),
    ),
    examples=(
        ("orchestra watch", "Start what has a `develop.watch` and keep it up to date"),
        ("orchestra watch --no-up web", "Watch the files of `web`, which runs already"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Bring the services up, then watch until Ctrl-C."""
    from orchestra.ops.watch import Listener, WatchOptions, watch, watch_rules

    context.refuse_dry_run()
    if not args.on("no-up"):
        expect_supervisor(context)
    project = load_project(context, args.words)
    if not project.services and not project.disabled_services:
        raise UsageError("no service selected")
    options = WatchOptions(
        args.words,
        prune=args.on("prune"),
        quiet=args.on("quiet"),
    )
    watch_rules(project, args.words, lambda _: None)  # mistakes are told before anything starts
    if not args.on("no-up"):
        _bring_up(context, project, options)
    signal.signal(signal.SIGTERM, _interrupt)
    watch(context.host(), project, options, Listener(_say, _warning_of(context)))
    return 0


def _bring_up(context: Context, project: Project, options: WatchOptions) -> None:
    """As `up -d`, with new images for those that are watched."""
    import msgspec

    from orchestra.cli.render.progress import open_display
    from orchestra.model.service import PullPolicy
    from orchestra.ops.up import UpOptions, up
    from orchestra.plan.decide import Recreate

    fresh = project.with_services(
        msgspec.structs.replace(service, pull_policy=PullPolicy.BUILD)
        if service.build is not None and service.watch
        else service
        for service in project.services
    )
    how = UpOptions(
        services=options.services,
        recreate_dependencies=Recreate.NEVER,
        quiet_pull=options.quiet,
    )
    with open_display(context, "up") as report:
        up(context.host(), fresh, how, report)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write("".join(f"{harmless(line)}\n" for line in text.splitlines()))
    sys.stdout.flush()


def _warning_of(context: Context) -> Callable[[str], None]:
    def warn(text: str) -> None:
        head = paint("warning:", YELLOW, when=context.colour_stderr)
        lines = "\n".join(map(harmless, text.splitlines()))
        sys.stdout.flush()
        sys.stderr.write(f"{head} {lines}\n")
        sys.stderr.flush()

    return warn
