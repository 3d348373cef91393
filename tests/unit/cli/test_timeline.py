"""`timeline` as people and programs get it: golden text, picture and trace events."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from orchestra.cli.render.text import display_width
from orchestra.cli.render.timeline import as_svg, as_text, as_trace_events
from orchestra.plan.timeline import timeline_of
from orchestra.plan.trace import FAILED, Span, Trace
from tests.unit.plan.test_timeline import chain

if TYPE_CHECKING:
    from tests.support.golden import Golden

BEGAN_NS = 1_790_000_000_000_000_000


def sample() -> Trace:
    began = chain()
    spans = tuple(
        span._replace(begin_ns=span.begin_ns + BEGAN_NS, end_ns=span.end_ns + BEGAN_NS)
        for span in began.spans
    )
    return Trace(BEGAN_NS, BEGAN_NS + began.end_ns, spans)


def test_text(golden: Golden) -> None:
    golden.check(
        "timeline/text.txt", as_text("demo", timeline_of(sample()), columns=90, colour=False)
    )


def test_svg(golden: Golden) -> None:
    picture = as_svg("demo", timeline_of(sample()))
    golden.check("timeline/picture.svg", picture)
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_trace_events(golden: Golden) -> None:
    text = as_trace_events("demo", timeline_of(sample()))
    golden.check("timeline/events.json", text)
    events = json.loads(text)["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X"}
    assert all(event["dur"] >= 0 for event in events if event["ph"] == "X")


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_a_row_is_as_wide_as_the_terminal_at_most(columns: int) -> None:
    text = as_text("demo", timeline_of(sample()), columns=columns, colour=False)
    rows = [line for line in text.splitlines() if re.match(r"[* ] Container", line)]
    assert len(rows) >= 3
    widest = max(map(display_width, rows))
    assert widest <= max(columns, 48)


def test_colour_changes_nothing_but_colour() -> None:
    timeline = timeline_of(sample())
    plain = as_text("demo", timeline, columns=90, colour=False)
    coloured = as_text("demo", timeline, columns=90, colour=True)
    assert coloured != plain
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain


def test_names_cannot_write_to_the_terminal_or_into_the_picture() -> None:
    evil = Span(1, "start", "Container <b>\x1b[2J", 0, 5, "why <i>", (), FAILED)
    timeline = timeline_of(Trace(0, 10, (evil,)))
    assert "\x1b" not in as_text("demo", timeline, columns=80, colour=False)
    assert "<b>" not in as_svg("demo", timeline)
    ElementTree.fromstring(as_svg("demo", timeline))


def test_an_up_that_had_nothing_to_do() -> None:
    text = as_text("demo", timeline_of(Trace(0, 10_000_000)), columns=80, colour=False)
    assert text.endswith("; there was nothing to do\n")
    ElementTree.fromstring(as_svg("demo", timeline_of(Trace(0, 10_000_000))))
