from __future__ import annotations

from itertools import count

from orchestra.plan.events import Phase, Progress
from orchestra.plan.operations import Operation, Verb
from orchestra.plan.trace import DONE, FAILED, UNFINISHED, Recorder, Span


def operation(key: int, verb: Verb = Verb.CREATE, needs: tuple[int, ...] = ()) -> Operation[None]:
    return Operation(key, verb, f"Container c{key}", None, "no container yet", needs)


def test_begins_ends_needs_and_outcomes_are_kept() -> None:
    ticks = count(100, 10)
    recorder = Recorder(lambda: next(ticks))
    recorder.began(operation(1))
    recorder.ended(operation(1), failed=False)
    recorder.began(operation(2, Verb.START, needs=(1,)))
    recorder.ended(operation(2, Verb.START, needs=(1,)), failed=True)
    recorder.began(operation(3))
    trace = recorder.trace()
    cause = "no container yet"
    assert (trace.begin_ns, trace.end_ns) == (100, 160)
    assert trace.spans == (
        Span(1, "create", "Container c1", 110, 120, cause, (), DONE),
        Span(2, "start", "Container c2", 130, 140, cause, (1,), FAILED),
        Span(3, "create", "Container c3", 150, 160, cause, (), UNFINISHED),
    )


def test_a_second_plan_has_keys_of_its_own() -> None:
    recorder = Recorder()
    recorder.began(operation(4))
    recorder.ended(operation(4), failed=False)
    recorder.next_plan()
    recorder.began(operation(1))
    recorder.began(operation(2, needs=(1,)))
    assert [(span.key, span.after) for span in recorder.trace().spans] == [
        (4, ()),
        (5, ()),
        (6, (5,)),
    ]


def test_pulls_and_builds_are_noted_from_their_progress() -> None:
    ticks = count(0, 1)
    recorder = Recorder(lambda: next(ticks))
    told: list[Progress] = []
    report = recorder.noting_images(told.append)
    for progress in (
        Progress("Image app", Phase.WORKING, "Pulling"),
        Progress("layer", Phase.DONE, "Downloaded", parent="Image app"),
        Progress("Image web", Phase.WORKING, "Building [1/2] FROM host"),
        Progress("Image web", Phase.WORKING, "Building [2/2] RUN make"),
        Progress("Image app", Phase.DONE, "Pulled"),
        Progress("Image web", Phase.FAILED, "Error"),
        Progress("Image here", Phase.SKIPPED, "Skipped"),
    ):
        report(progress)
    assert len(told) == 7
    assert [(s.verb, s.resource, s.outcome) for s in recorder.trace().spans] == [
        ("pull", "Image app", DONE),
        ("build", "Image web", FAILED),
    ]
