"""`orchestra logs`."""

from __future__ import annotations

import time

from orchestra.cli.flags import NUMBER, TEXT, Command, Flag, UsageError
from orchestra.cli.located import log_target
from orchestra.cli.render.logs import LogPrinter, show_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.runtime.logread import Span

COMMAND = Command(
    usage="logs [OPTIONS] [SERVICE...]",
    summary="View output from containers",
    flags=(
        Flag("follow", "Follow log output", short="f"),
        Flag("index", "index of the container if service has multiple replicas", kind=NUMBER),
        Flag("no-color", "Produce monochrome output"),
        Flag("no-log-prefix", "Don't print prefix in logs"),
        Flag(
            "since",
            "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 "
            "minutes)",
            kind=TEXT,
        ),
        Flag(
            "tail",
            "Number of lines to show from the end of the logs for each container",
            short="n",
            kind=TEXT,
            default="all",
        ),
        Flag("timestamps", "Show timestamps", short="t"),
        Flag(
            "until",
            "Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for "
            "42 minutes)",
            kind=TEXT,
        ),
    ),
    examples=(
        ("orchestra logs -f web", "Follow one service"),
        ("orchestra logs --since 5m -t", "The last five minutes, with times"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print what the containers wrote; with `--follow` until they have ended."""
    from orchestra.ops.logs import LogEvent, LogOptions, read_blocks, read_logs
    from orchestra.ops.target import find_containers

    if args.number("index") and len(args.words) != 1:
        raise UsageError("--index requires one service to be selected")
    layout, where = context.host().layout, log_target(context, args.words)
    options = LogOptions(args.on("follow"), span_of(args), args.number("index"))
    printer = LogPrinter(
        colour=context.colour and not args.on("no-color"),
        prefix=not args.on("no-log-prefix"),
        timestamps=args.on("timestamps"),
    )
    containers = find_containers(layout, where, orphans=False)
    printer.register(LogEvent(container).label for container in containers)
    if len(containers) == 1 and _is_everything(args):
        (container,) = containers
        printer.blocks(LogEvent(container).label, read_blocks(layout, container))
        printer.flush()
        return 0
    for event in read_logs(layout, where, options):
        show_event(printer, event)
        if options.follow:
            printer.flush()
    printer.flush()
    return 0


def _is_everything(args: Args) -> bool:
    """Is it the whole log as it is, without times, that is asked for?"""
    parts = ("follow", "timestamps", "since", "until", "index")
    return not args.given.intersection(parts) and args.text("tail") == "all"


def span_of(args: Args) -> Span:
    """What of the log --tail, --since and --until leave. Raises UsageError."""
    from orchestra.runtime.logread import Span

    tail = tail_of(args.text("tail"))
    if not args.text("since") and not args.text("until"):
        return Span(tail)
    from orchestra.cli.moment import moment_ns  # and with it what knows patterns

    now_ns = time.time_ns()
    since_ns, until_ns = (moment_ns(args.text(name), now_ns) for name in ("since", "until"))
    return Span(tail, since_ns, until_ns)


def tail_of(text: str) -> int | None:
    """How many lines; None: all. Raises UsageError."""
    if text == "all" or text.startswith("-"):
        return None
    if not text.isdecimal():
        raise UsageError(f'invalid --tail value "{text}"', fix="use a number or all")
    return int(text)
