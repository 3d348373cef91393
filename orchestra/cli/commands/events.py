"""`orchestra events`."""

from __future__ import annotations

import time

from orchestra.cli.context import write
from orchestra.cli.flags import TEXT, Command, Flag
from orchestra.cli.located import target
from orchestra.cli.render.duration import NS, rfc3339_nano
from orchestra.cli.render.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from orchestra.cli.context import Context
    from orchestra.cli.flags import Args
    from orchestra.ops.events import ProjectEvent

COMMAND = Command(
    usage="events [OPTIONS] [SERVICE...]",
    summary="Receive real time events from containers",
    flags=(
        Flag("json", "Output events as a stream of json objects"),
        Flag("since", "Show all events created since timestamp", kind=TEXT),
        Flag("until", "Stream events until this timestamp", kind=TEXT),
    ),
    examples=(
        ("orchestra events --json", "One JSON object per event"),
        ("orchestra events --since 10m --until 0s", "What has happened in the last ten minutes"),
    ),
)


def run(args: Args, context: Context) -> int:
    """Print what happens to the containers, until --until or Ctrl-C."""
    import sys

    from orchestra.cli.moment import moment_ns
    from orchestra.ops.events import Period, events

    now_ns = time.time_ns()
    since, until = args.text("since"), args.text("until")
    period = Period(moment_ns(since, now_ns), moment_ns(until, now_ns))
    line = _json_line if args.on("json") else _text_line
    for event in events(context.host().layout, target(context, args.words), period):
        write(line(event))
        sys.stdout.flush()
    return 0


def _json_line(event: ProjectEvent) -> str:
    from orchestra.cli.render.listing import compact_json

    record = {
        "action": event.action,
        "attributes": _attributes(event),
        "id": event.id,
        "service": event.service,
        "time": rfc3339_nano(event.time_ns),
        "type": "container",
    }
    return compact_json(record) + "\n"


def _text_line(event: ProjectEvent) -> str:
    pairs = _attributes(event).items()
    about = ", ".join(f"{key}={value}" for key, value in pairs)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.time_ns // NS))
    micros = event.time_ns % NS // 1000
    return harmless(f"{when}.{micros:06} container {event.action} {event.id} ({about})") + "\n"


def _attributes(event: ProjectEvent) -> dict[str, str]:
    """In the order of their names."""
    return dict(
        sorted({"image": event.image, "name": event.name, **dict(event.attributes)}.items())
    )
