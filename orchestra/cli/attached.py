"""`up` in the foreground: what it shows, and the flags that say which services it attaches to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.cli.flags import UsageError
from orchestra.cli.render.logs import LogPrinter, show_event
from orchestra.cli.render.progress import beside_logs
from orchestra.ops.foreground import Attach, OnExit
from orchestra.ops.foreground import up_attached as run_attached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.project import Project
    from orchestra.ops.logs import LogEvent
    from orchestra.ops.up import UpOptions


def up_attached(args: Args, context: Context, project: Project, options: UpOptions) -> int:
    """Bring the project up and show its logs until it ends; the exit code. Raises UsageError."""
    attach = _attach(args, project)
    printer = LogPrinter(
        colour=context.colour and not args.on("no-color"),
        prefix=not args.on("no-log-prefix"),
        timestamps=args.on("timestamps"),
    )
    printer.register(_labels(project, attach.only or args.words, attach.without))

    def show(event: LogEvent) -> None:
        show_event(printer, event)
        printer.flush()

    code = run_attached(context.host(), project, options, attach, beside_logs(context), show)
    sys.stdout.flush()
    return code


def _attach(args: Args, project: Project) -> Attach:
    only, source = args.texts("attach"), args.text("exit-code-from")
    if only and args.on("attach-dependencies"):
        raise UsageError("cannot combine --attach and --attach-dependencies")
    unknown = [name for name in (*only, source) if name and name not in project.service_names]
    if unknown:
        raise UsageError(f"no such service: {', '.join(unknown)}")
    on_exit = OnExit.IGNORE
    if args.on("abort-on-container-failure"):
        on_exit = OnExit.STOP_ALL_ON_FAILURE
    elif args.on("abort-on-container-exit") or source:
        on_exit = OnExit.STOP_ALL
    return Attach(
        only=only,
        without=args.texts("no-attach"),
        dependencies=args.on("attach-dependencies"),
        on_exit=on_exit,
        exit_code_from=source,
    )


def _labels(project: Project, only: tuple[str, ...], without: tuple[str, ...]) -> Iterator[str]:
    """The names that the log prefixes will show, so that their column has its width at once."""
    for service in project.services:
        if service.name in without or (only and service.name not in only):
            continue
        if service.container_name:
            yield service.container_name
            continue
        for number in range(1, service.replicas + 1):
            yield f"{service.name}-{number}"
