"""`orchestra timeline`."""

from __future__ import annotations

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag, UsageError
from orchestra.cli.located import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args

FORMS = ("text", "svg", "json")

COMMAND = Command(
    usage="timeline [OPTIONS]",
    summary="Show what the last `up` did, when, and what it waited for",
    flags=(
        Flag(
            "format",
            f"Format the output. Values: [{' | '.join(FORMS)}]",
            kind=TEXT,
            default="text",
            choices=FORMS,
        ),
    ),
    max_args=0,
    examples=(
        ("orchestra timeline", "A bar for each service, with the critical path marked"),
        ("orchestra timeline --format svg > up.svg", "A picture"),
        ("orchestra timeline --format json > up.json", "Trace events for chrome://tracing"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print where the seconds of the last `up` went."""
    from orchestra.cli.render.timeline import as_svg, as_text, as_trace_events
    from orchestra.ops.timeline import read_trace
    from orchestra.plan.timeline import timeline_of

    form = args.text("format")
    if form not in FORMS:
        raise UsageError(f'unsupported format "{form}"', fix=f"use one of {', '.join(FORMS)}")
    project = locate(context).name
    timeline = timeline_of(read_trace(context.host().layout, project))
    if form == "svg":
        write(as_svg(project, timeline))
    elif form == "json":
        write(as_trace_events(project, timeline) + "\n")
    else:
        write(as_text(project, timeline, columns=context.width, colour=context.colour))
    return 0
