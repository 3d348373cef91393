from __future__ import annotations

from orchestra.plan.timeline import WAIT, Bar, critical_path, timeline_of
from orchestra.plan.trace import Span, Trace

DB, WEB, LOG = "Container demo-db-1", "Container demo-web-1", "Container demo-log-1"


def chain() -> Trace:
    """An image is pulled; db gets healthy, then web starts; log has nothing to do with them."""
    ms = 1_000_000
    spans = (
        Span(-1, "pull", "Image db", 10 * ms, 310 * ms),
        Span(1, "create", "Network demo_default", 320 * ms, 330 * ms, "it does not exist"),
        Span(2, "create", DB, 330 * ms, 350 * ms, "no container yet", (1,)),
        Span(3, "create", WEB, 330 * ms, 360 * ms, "no container yet", (1,)),
        Span(4, "create", LOG, 330 * ms, 350 * ms, "no container yet", (1,)),
        Span(5, "start", DB, 350 * ms, 400 * ms, "", (2,)),
        Span(6, "start", LOG, 350 * ms, 390 * ms, "", (4,)),
        Span(7, "await healthy", DB, 400 * ms, 900 * ms, "", (5,)),
        Span(8, "start", WEB, 900 * ms, 960 * ms, "", (3, 7)),
    )
    return Trace(0, 1000 * ms, spans)


def test_the_critical_path_is_what_each_step_had_to_wait_for() -> None:
    assert [span.key for span in critical_path(chain())] == [-1, 1, 2, 5, 7, 8]


def test_nothing_done_has_no_critical_path() -> None:
    assert critical_path(Trace(0, 10)) == ()
    assert timeline_of(Trace(0, 10)).rows == ()


def test_a_step_of_a_later_plan_goes_on_from_the_same_container() -> None:
    trace = Trace(0, 9, (Span(1, "start", DB, 0, 2), Span(2, "await healthy", DB, 3, 8)))
    assert [span.key for span in critical_path(trace)] == [1, 2]


def test_a_row_for_each_thing_with_its_steps_and_waits() -> None:
    timeline = timeline_of(chain())
    rows = {row.resource: row for row in timeline.rows}
    assert list(rows) == ["Image db", "Network demo_default", DB, WEB, LOG]
    assert [(bar.name, bar.is_critical) for bar in rows[DB].bars] == [
        ("create", True),
        ("start", True),
        ("healthy", True),
    ]
    assert rows[WEB].bars[1] == Bar(WAIT, 360_000_000, 900_000_000, f"{DB} (healthy)")
    assert not rows[LOG].is_critical
    assert rows[WEB].is_critical


def test_a_failed_dependency_in_a_circle_of_keys_ends() -> None:
    trace = Trace(
        0, 9, (Span(1, "start", DB, 0, 2, "", (2,)), Span(2, "start", WEB, 1, 3, "", (1,)))
    )
    assert {span.key for span in critical_path(trace)} == {1, 2}
