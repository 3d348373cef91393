"""`timeline` as text bars, as SVG and as Chrome trace events. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from orchestra.cli.render.text import BOLD, DIM, RED, YELLOW, display_width, harmless, paint
from orchestra.plan.timeline import NAMES, WAIT
from orchestra.plan.trace import DONE

if TYPE_CHECKING:
    from orchestra.plan.timeline import Bar, Row, Timeline

MARKS = {"healthy": "h", "exit": "x", "remove": "r", "restart": "t", "stop": "o", WAIT: "·"}
"""Other bars are drawn by the first letter of their name."""

COLOURS = {
    "pull": "#7c5cbf",
    "build": "#b35c9e",
    "create": "#8a8f98",
    "start": "#2f7fd1",
    "healthy": "#3fa45b",
    "exit": "#3fa45b",
    "stop": "#c98a1b",
    "remove": "#c98a1b",
    WAIT: "#e3e5e8",
}
_OTHER, _FAILED, _CRITICAL = "#5b6470", "#cc3d3d", "#d1242f"
_LEAST_BAR = 12
_ROW, _HEAD, _FOOT, _PICTURE = 24, 44, 34, 640


def seconds(ns: int) -> str:
    return f"{ns / 1e9:.2f} s"


# -- text -----------------------------------------------------------------------------------------
def as_text(project: str, timeline: Timeline, *, columns: int, colour: bool) -> str:
    """A bar for each thing, as wide as *columns* allow; `*` and bold mark the critical path."""
    head = f"{harmless(project)}: `up` took {seconds(timeline.length_ns)}, {_when(timeline)}"
    if not timeline.rows:
        return f"{head}; there was nothing to do\n"
    names = [harmless(row.resource) for row in timeline.rows]
    name_width = max(map(display_width, names))
    width = max(columns - name_width - 16, _LEAST_BAR)
    lines = [head, "", " " * (name_width + 3) + _axis(timeline.length_ns, width)]
    for name, row in zip(names, timeline.rows, strict=True):
        mark = "*" if row.is_critical else " "
        padded = name + " " * (name_width - display_width(name))
        bars = _drawn(row, timeline.length_ns, width, colour=colour)
        worked = sum(bar.length_ns for bar in row.bars if bar.name != WAIT)
        shown = paint(padded, BOLD, when=colour and row.is_critical)
        lines.append(f"{mark} {shown} {bars} {seconds(worked):>9}")
    lines += ["", *_path_lines(timeline), *_wait_lines(timeline), _legend(timeline)]
    return "\n".join(lines) + "\n"


def _when(timeline: Timeline) -> str:
    moment = datetime.fromtimestamp(timeline.begin_ns / 1e9, UTC)
    return f"at {moment:%Y-%m-%d %H:%M:%S} UTC"


def _axis(length_ns: int, width: int) -> str:
    left, right = "0 s", seconds(length_ns)
    return left + " " * max(1, width - len(left) - len(right)) + right


def _drawn(row: Row, length_ns: int, width: int, *, colour: bool) -> str:
    """Every bar has at least one column, unless another one needs it more."""
    cells = [" "] * width
    paints = [""] * width
    for bar in sorted(row.bars, key=lambda bar: bar.length_ns, reverse=True):
        first = min(bar.begin_ns * width // max(length_ns, 1), width - 1)
        last = min(max(first + 1, -(-bar.end_ns * width // max(length_ns, 1))), width)
        for column in range(first, last):
            cells[column] = mark_of(bar.name)
            paints[column] = _paint_of(bar)
    return "".join(
        paint(cell, shade, when=colour and bool(shade))
        for cell, shade in zip(cells, paints, strict=True)
    )


def mark_of(name: str) -> str:
    return MARKS.get(name, name[:1])


def _paint_of(bar: Bar) -> str:
    if bar.outcome != DONE:
        return RED
    if bar.name == WAIT:
        return DIM
    return YELLOW if bar.is_critical else ""


def _path_lines(timeline: Timeline) -> list[str]:
    lines = ["* critical path:"]
    for span in timeline.critical:
        name = NAMES.get(span.verb, span.verb)
        end = seconds(span.end_ns - timeline.begin_ns)
        took = seconds(span.end_ns - span.begin_ns)
        how = "" if span.outcome == DONE else f", {span.outcome}"
        lines.append(f"    {took:>9}  {name} {harmless(span.resource)}{how}, until {end}")
    return lines


def _wait_lines(timeline: Timeline) -> list[str]:
    lines = []
    for row in timeline.rows:
        for bar in row.bars:
            if bar.name == WAIT:
                took = seconds(bar.length_ns)
                lines.append(f"    {took:>9}  {harmless(row.resource)} for {harmless(bar.why)}")
    return ["  waits:", *lines] if lines else []


def _legend(timeline: Timeline) -> str:
    names = dict.fromkeys(bar.name for row in timeline.rows for bar in row.bars)
    return "\n" + "  ".join(f"{mark_of(name)} {name}" for name in names)


# -- Chrome trace events --------------------------------------------------------------------------
def as_trace_events(project: str, timeline: Timeline) -> str:
    """For chrome://tracing, Perfetto and the like: microseconds, one thread for each row."""
    events: list[dict[str, object]] = [
        {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": f"up {project}"}}
    ]
    for thread, row in enumerate(timeline.rows, 1):
        events.append(
            {
                "ph": "M",
                "pid": 1,
                "tid": thread,
                "name": "thread_name",
                "args": {"name": row.resource},
            }
        )
        for bar in row.bars:
            why = "waits for" if bar.name == WAIT else "cause"
            events.append(
                {
                    "ph": "X",
                    "pid": 1,
                    "tid": thread,
                    "name": bar.name,
                    "cat": row.resource.split(" ", 1)[0].lower(),
                    "ts": bar.begin_ns / 1000,
                    "dur": bar.length_ns / 1000,
                    "args": {
                        "outcome": bar.outcome,
                        "critical": bar.is_critical,
                        **({why: bar.why} if bar.why else {}),
                    },
                }
            )
    origin = {"began": timeline.begin_ns / 1e9, "seconds": timeline.length_ns / 1e9}
    return json.dumps(
        {"displayTimeUnit": "ms", "otherData": origin, "traceEvents": events}, indent=1
    )


# -- SVG ------------------------------------------------------------------------------------------
def as_svg(project: str, timeline: Timeline) -> str:
    """A picture that stands alone; each bar's title says what it is, and why."""
    names = [harmless(row.resource) for row in timeline.rows]
    left = 20 + 7 * max(map(display_width, names), default=10)
    width, height = left + _PICTURE + 90, _HEAD + _ROW * len(names) + _FOOT
    scale = _PICTURE / max(timeline.length_ns, 1)
    title = f"{harmless(project)}: up took {seconds(timeline.length_ns)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="monospace" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="10" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (name, row) in enumerate(zip(names, timeline.rows, strict=True)):
        top = _HEAD + _ROW * number
        weight = ' font-weight="bold"' if row.is_critical else ""
        parts.append(f'<text x="10" y="{top + 14}"{weight}>{escape(name)}</text>')
        parts += [_rectangle(bar, left + bar.begin_ns * scale, top, scale) for bar in row.bars]
        end = left + max(bar.end_ns for bar in row.bars) * scale
        worked = sum(bar.length_ns for bar in row.bars if bar.name != WAIT)
        parts.append(f'<text x="{end + 6:.1f}" y="{top + 14}" fill="#555">{seconds(worked)}</text>')
    parts += _svg_legend(timeline, height - 14)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rectangle(bar: Bar, x: float, top: int, scale: float) -> str:
    fill = COLOURS.get(bar.name, _OTHER) if bar.outcome == DONE else _FAILED
    edge = f' stroke="{_CRITICAL}" stroke-width="2"' if bar.is_critical else ""
    why = f": {bar.why}" if bar.why else ""
    title = escape(harmless(f"{bar.name} {seconds(bar.length_ns)}{why}"))
    return (
        f'<rect x="{x:.1f}" y="{top + 2}" width="{max(bar.length_ns * scale, 1):.1f}" '
        f'height="{_ROW - 8}" fill="{fill}"{edge}><title>{title}</title></rect>'
    )


def _svg_legend(timeline: Timeline, y: int) -> list[str]:
    parts, x = [], 10
    names = dict.fromkeys(bar.name for row in timeline.rows for bar in row.bars)
    for name in names:
        fill = COLOURS.get(name, _OTHER)
        parts.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{fill}"/>')
        parts.append(f'<text x="{x + 16}" y="{y}">{escape(name)}</text>')
        x += 32 + 7 * len(name)
    parts.append(
        f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="none" stroke="{_CRITICAL}" '
        'stroke-width="2"/>'
    )
    parts.append(f'<text x="{x + 16}" y="{y}">critical path</text>')
    return parts
