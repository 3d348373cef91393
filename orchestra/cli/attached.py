"""`up` in the foreground: what it shows, and the flags that say which services it attaches to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.cli.console import Console, guarded, wants_menu
from orchestra.cli.context import write
from orchestra.cli.flags import UsageError
from orchestra.cli.render.logs import LogPrinter, show_event
from orchestra.cli.render.progress import beside_logs
from orchestra.cli.render.text import harmless
from orchestra.ops.foreground import Attach, Audience, OnExit
from orchestra.ops.foreground import up_attached as run_attached
from orchestra.plan.desired import select_services
from orchestra.plan.unknown import unknown_service

if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.project import Project
    from orchestra.ops.logs import LogEvent
    from orchestra.ops.up import UpOptions


def up_attached(args: Args, context: Context, project: Project, options: UpOptions) -> int:
    """Bring the project up and show its logs until it ends; the exit code. Raises UsageError."""
    attach = _attach(args, project, options)
    printer = LogPrinter(
        colour=context.colour and not args.on("no-color"),
        prefix=not args.on("no-log-prefix"),
        timestamps=args.on("timestamps"),
        apart=True,
    )

    keys = wants_menu(args, context)
    console = Console(
        context, project, options.services, printer, keys=keys, watches=args.on("watch")
    )

    def show(event: LogEvent) -> None:
        console.clear()
        show_event(printer, event)
        printer.flush()

    def attaching(labels: tuple[str, ...]) -> None:
        console.clear()
        printer.register(labels)
        if labels:
            write(f"Attaching to {', '.join(map(harmless, labels))}\n")
            sys.stdout.flush()

    report = guarded(console, beside_logs(context))
    audience = Audience(report, show, attaching, console)
    code = run_attached(context.host(), project, options, attach, audience)
    sys.stdout.flush()
    return code


def _attach(args: Args, project: Project, options: UpOptions) -> Attach:
    only, source = args.texts("attach"), args.text("exit-code-from")
    if only and args.on("attach-dependencies"):
        raise UsageError("cannot combine --attach and --attach-dependencies")
    chosen = select_services(project, options.services, options.dependencies).service_names
    unknown = [name for name in only if name not in chosen]
    if unknown:
        raise UsageError(f"cannot attach to services not included in up: {', '.join(unknown)}")
    if source and source not in chosen:
        raise unknown_service(source, chosen)
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
