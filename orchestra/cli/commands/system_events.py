"""`orchestra system events`."""

from __future__ import annotations

import sys
import time

from orchestra.cli.context import write
from orchestra.cli.flags import LIST, TEXT, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

COMMAND = Command(
    usage="system events [OPTIONS]",
    summary="Get real time events from every container of this machine",
    flags=(
        Flag("filter", "Filter output based on conditions provided", short="f", kind=LIST),
        Flag("format", "Format output: json or TEMPLATE", kind=TEXT),
        Flag("since", "Show all events created since timestamp", kind=TEXT),
        Flag("until", "Stream events until this timestamp", kind=TEXT),
    ),
    max_args=0,
    examples=(
        ("orchestra system events --since 10m --until 0s", "What happened in the last minutes"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print what happens to containers, until --until or Ctrl-C."""
    from orchestra.cli.moment import moment_ns
    from orchestra.cli.render.machine_events import event_text
    from orchestra.ops.event_filters import FILTERS, passes
    from orchestra.ops.events import Period, machine_events
    from orchestra.ops.object_filters import parse_object_filters

    filters = parse_object_filters(args.texts("filter"), FILTERS)
    now_ns = time.time_ns()
    since, until = args.text("since"), args.text("until")
    period = Period(moment_ns(since, now_ns), moment_ns(until, now_ns))
    for event in machine_events(context.host().layout, period):
        if passes(event, filters):
            write(event_text(event, args.text("format")))
            sys.stdout.flush()
    return 0
