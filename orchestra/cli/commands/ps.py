"""`orchestra ps`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag, UsageError
from orchestra.cli.located import target
from orchestra.cli.render.containers import DEFAULT_COLUMNS, HEADERS, container_fields
from orchestra.cli.render.listing import Item, listing_text

TYPE_CHECKING = False

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.model.state import ContainerState

STATUSES = ("paused", "restarting", "removing", "running", "dead", "created", "exited")

COMMAND = Command(
    usage="ps [OPTIONS] [SERVICE...]",
    summary="List containers",
    flags=(
        Flag(
            "all",
            "Show all stopped containers (including those created by the run command)",
            short="a",
        ),
        Flag(
            "filter",
            "Filter services by a property (supported filters: status)",
            kind=TEXT,
        ),
        Flag(
            "format",
            "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go "
            "TEMPLATE",
            kind=TEXT,
            choices=("table", "json"),
        ),
        Flag("no-trunc", "Don't truncate output"),
        Flag(
            "orphans",
            "Include orphaned services (not declared by project)",
            default="true",
        ),
        Flag("quiet", "Only display IDs", short="q"),
        Flag("services", "Display services"),
        Flag(
            "status",
            f"Filter services by status. Values: [{' | '.join(STATUSES)}]",
            kind=LIST,
            choices=STATUSES,
        ),
    ),
    examples=(
        ("orchestra ps -a", "Stopped containers too"),
        ("orchestra ps --format json", "One JSON object per line"),
        ("orchestra ps --format 'table {{.Name}}\\t{{.Status}}'", "Chosen columns"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print the containers of the project."""
    from orchestra.ops.ps import PsOptions, ps

    statuses = (*args.texts("status"), *_filtered(args.text("filter")))
    options = PsOptions(args.on("all"), statuses, args.on("orphans"))
    states = ps(context.host().layout, target(context, args.words), options)
    if args.on("quiet"):
        write("".join(f"{state.id}\n" for state in states))
    elif args.on("services"):
        write("".join(f"{name}\n" for name in dict.fromkeys(state.service for state in states)))
    else:
        write(_listing(args, states))
    return 0


def _listing(args: Args, states: tuple[ContainerState, ...]) -> str:
    now_ns = time.time_ns()
    truncate = not args.on("no-trunc")
    items = [
        Item(container_fields(state, now_ns=now_ns, truncate=truncate), dict(state.labels))
        for state in states
    ]
    return listing_text(items, args.text("format"), headers=HEADERS, columns=DEFAULT_COLUMNS)


def _filtered(text: str) -> tuple[str, ...]:
    """The statuses that `--filter status=…` asks for. Raises UsageError for other filters."""
    if not text:
        return ()
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError("arguments to --filter should be in form KEY=VAL")
    if key != "status":
        raise UsageError(f"unknown filter {key}", fix="the only one is status")
    return (value,)
