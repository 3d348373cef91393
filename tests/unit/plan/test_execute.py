"""How a plan is carried out: order, parallelism, failures and what is skipped for them."""

from __future__ import annotations

import pytest

from orchestra.engine import base
from orchestra.engine.fake import Behaviour, FakeEngine
from orchestra.errors import Interrupted, LaunchFailed, OrchestraError, RuntimeFailure
from orchestra.model.state import Health
from orchestra.plan.events import Phase, Progress
from orchestra.plan.execute import Execution, execute
from orchestra.plan.graph import PlanBuilder
from orchestra.plan.operations import Verb
from tests.unit.plan.projects import HEALTHCHECK, Planner, needs, project, service


def test_independent_operations_are_ready_together() -> None:
    builder: PlanBuilder[str] = PlanBuilder()
    first = builder.add(Verb.CREATE, "a", request="a")
    second = builder.add(Verb.CREATE, "b", request="b")
    builder.add(Verb.START, "c", request="c", needs=[first, second])
    execution = Execution(builder.build())
    assert [operation.resource for operation in execution.ready()] == ["a", "b"]
    assert execution.ready() == []
    execution.finished(first)
    assert execution.ready() == []
    execution.finished(second)
    assert [operation.resource for operation in execution.ready()] == ["c"]


def test_failure_skips_all_that_needs_it_and_nothing_else() -> None:
    builder: PlanBuilder[str] = PlanBuilder()
    bad = builder.add(Verb.CREATE, "bad", request="")
    good = builder.add(Verb.CREATE, "good", request="")
    middle = builder.add(Verb.START, "middle", request="", needs=[bad, good])
    builder.add(Verb.START, "last", request="", needs=[middle])
    builder.add(Verb.START, "other", request="", needs=[good])
    execution = Execution(builder.build())
    execution.ready()
    assert execution.failed(bad, OrchestraError("no")) == []
    skipped = execution.finished(good)
    assert [operation.resource for operation in skipped] == ["middle", "last"]
    assert execution.cause_of_skip(4) == "bad"
    assert [operation.resource for operation in execution.ready()] == ["other"]


def test_unhealthy_dependency_skips_the_dependent_and_says_for_what() -> None:
    host = Planner(FakeEngine({"db": Behaviour(health=Health.UNHEALTHY)}))
    wanted = project(
        service("db", healthcheck=HEALTHCHECK),
        service("web", depends_on=(needs("db", "healthy"),)),
        service("other"),
    )
    with pytest.raises(RuntimeFailure, match="demo-db-1 is unhealthy"):
        host.apply(wanted)
    assert host.statuses() == {
        "demo-db-1": "running",
        "demo-web-1": "created",
        "demo-other-1": "running",
    }
    skipped = [event for event in host.events if event.phase is Phase.SKIPPED]
    assert [(e.resource, e.detail) for e in skipped] == [
        ("Container demo-web-1", "Container demo-db-1 failed")
    ]


def test_failed_one_shot_is_told_with_its_exit_status() -> None:
    host = Planner(FakeEngine({"migrate": Behaviour(exit_code=3)}))
    wanted = project(
        service("migrate"), service("web", depends_on=(needs("migrate", "completed"),))
    )
    with pytest.raises(OrchestraError, match="exit status 3"):
        host.apply(wanted)
    assert host.statuses()["demo-web-1"] == "created"


def test_failure_of_a_dependency_that_is_not_required_is_a_warning() -> None:
    host = Planner(FakeEngine({"cache": Behaviour(exit_code=1)}))
    edge = needs("cache", "completed", required=False)
    host.apply(project(service("cache"), service("web", depends_on=(edge,))))
    assert host.statuses()["demo-web-1"] == "running"
    assert Phase.WARNING in {event.phase for event in host.events}


def test_launch_failure_keeps_its_exit_code() -> None:
    error = LaunchFailed("no such command: serve", exit_code=127)
    host = Planner(FakeEngine({"web": Behaviour(launch_error=error)}))
    with pytest.raises(LaunchFailed) as caught:
        host.apply(project(service("web")))
    assert caught.value.exit_code == 127


def test_ctrl_c_while_waiting_ends_with_interrupted() -> None:
    class Impatient(FakeEngine):
        def next_completion(self, timeout_s: float | None = None) -> base.Completion | None:
            answer = super().next_completion(timeout_s)
            if self.requests and isinstance(self.requests[-1], base.StartContainer):
                raise KeyboardInterrupt
            return answer

    with pytest.raises(Interrupted):
        Planner(Impatient()).apply(project(service("web")))


def test_progress_tells_each_step_once() -> None:
    host = Planner(FakeEngine())
    host.apply(project(service("web")))
    assert [(event.resource, event.text) for event in host.events] == [
        ("Network demo_default", "Creating"),
        ("Network demo_default", "Created"),
        ("Container demo-web-1", "Creating"),
        ("Container demo-web-1", "Created"),
        ("Container demo-web-1", "Starting"),
        ("Container demo-web-1", "Started"),
    ]


class _Warning:
    """An engine that does everything, with a warning each time."""

    def __init__(self) -> None:
        self._tickets: list[int] = []

    def submit(self, _request: str, /) -> int:
        self._tickets.append(len(self._tickets))
        return self._tickets[-1]

    def next_completion(self, _timeout_s: float | None = None) -> base.Completion:
        return base.Completion(ticket=self._tickets[-1], warnings=("no limits here",))


def test_warning_of_the_engine_is_told_once() -> None:
    builder: PlanBuilder[str] = PlanBuilder()
    first = builder.add(Verb.CREATE, "a", request="a")
    builder.add(Verb.START, "b", request="b", needs=[first])
    told: list[Progress] = []
    execute(builder.build(), _Warning(), told.append)
    warned = [each.text for each in told if each.phase is Phase.WARNING]
    assert warned == ["no limits here"]
