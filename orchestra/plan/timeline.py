"""Where the seconds of an `up` went: rows of bars, waits and the critical path. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.plan.trace import DONE, Span

if TYPE_CHECKING:
    from orchestra.plan.trace import Trace

WAIT = "wait"
NAMES = {"await healthy": "healthy", "await exit": "exit"}


class Bar(NamedTuple):
    """A stretch of one row, in nanoseconds after the begin of the whole; *why* for people."""

    name: str  # "create", "start", "healthy", "exit", "pull", "build", …, or WAIT
    begin_ns: int
    end_ns: int
    why: str = ""
    outcome: str = DONE
    is_critical: bool = False

    @property
    def length_ns(self) -> int:
        return self.end_ns - self.begin_ns


class Row(NamedTuple):
    """One network, volume, image or container."""

    resource: str
    bars: tuple[Bar, ...]

    @property
    def is_critical(self) -> bool:
        return any(bar.is_critical for bar in self.bars)


class Timeline(NamedTuple):
    """*critical* is what the whole waited for, first to last."""

    begin_ns: int  # since the epoch
    length_ns: int
    rows: tuple[Row, ...]
    critical: tuple[Span, ...]


def timeline_of(trace: Trace) -> Timeline:
    """Rows in the order in which things began."""
    critical = critical_path(trace)
    on_path = {span.key for span in critical}
    by_key = {span.key: span for span in trace.spans}
    rows: dict[str, list[Bar]] = {}
    for span in trace.spans:
        bars = rows.setdefault(span.resource, [])
        begin, end = span.begin_ns - trace.begin_ns, span.end_ns - trace.begin_ns
        wait = _wait_before(span, by_key, trace.begin_ns, bars)
        if wait is not None:
            bars.append(wait)
        name = NAMES.get(span.verb, span.verb)
        bars.append(Bar(name, begin, end, span.cause, span.outcome, span.key in on_path))
    return Timeline(
        trace.begin_ns,
        trace.end_ns - trace.begin_ns,
        tuple(Row(resource, tuple(bars)) for resource, bars in rows.items()),
        critical,
    )


def _wait_before(
    span: Span, by_key: dict[int, Span], origin_ns: int, bars: list[Bar]
) -> Bar | None:
    """The time in which the resource could do nothing, and what for; None when it had not to."""
    before = max(
        (by_key[key] for key in span.after if key in by_key),
        key=lambda each: each.end_ns,
        default=None,
    )
    if before is None or before.resource == span.resource or not bars:
        return None
    begin = max(bar.end_ns for bar in bars)
    end = span.begin_ns - origin_ns
    if end <= begin:
        return None
    name = NAMES.get(before.verb, before.verb)
    return Bar(WAIT, begin, end, f"{before.resource} ({name})")


def critical_path(trace: Trace) -> tuple[Span, ...]:
    """The chain of operations each of which the next had to wait for, up to the last to end.

    What nothing is said to come before went on from what was done before with the same thing, or
    else waited for the images, which are all there before a plan begins.
    """
    by_key = {span.key: span for span in trace.spans}
    images = [span for span in trace.spans if span.key < 0]
    path: list[Span] = []
    span = max(trace.spans, key=lambda each: (each.end_ns, each.key), default=None)
    while span is not None and span not in path:
        path.append(span)
        before = [by_key[key] for key in span.after if key in by_key]
        if not before:
            before = [
                each
                for each in trace.spans
                if each.resource == span.resource and each.end_ns <= span.begin_ns
            ]
        if not before:
            before = [image for image in images if image.end_ns <= span.begin_ns]
        span = max(before, key=lambda each: (each.end_ns, each.key), default=None)
    return tuple(reversed(path))
