"""stop, start, restart, kill, pause and rm through the socket, without the compose file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.engine import base
from orchestra.errors import NotFound
from orchestra.model.state import Status
from orchestra.ops.kill import kill
from orchestra.ops.ls import ls
from orchestra.ops.pause import pause
from orchestra.ops.ps import PsOptions, ps
from orchestra.ops.restart import restart
from orchestra.ops.rm import rm
from orchestra.ops.start import start
from orchestra.ops.stop import stop
from orchestra.ops.target import Target
from orchestra.ops.unpause import unpause
from orchestra.ops.up import UpOptions, up
from orchestra.ops.wait import wait
from tests.support.fake_supervisor import FakeSupervisor
from tests.unit.plan.projects import HEALTHCHECK, needs, project, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.ops.conftest import MemoryHost

DEMO = Target("demo", declared=("api", "migrate", "worker"))
PROJECT = project(
    service("api", healthcheck=HEALTHCHECK, depends_on=(needs("migrate", "completed"),)),
    service("migrate"),
    service("worker", depends_on=(needs("api", "healthy", restart=True),)),
)


@pytest.fixture
def running(host: MemoryHost) -> Iterator[MemoryHost]:
    """The project, up, behind a socket; `events` is empty again."""
    up(host, PROJECT, UpOptions(), host.events.append)
    host.events.clear()
    host.engine.requests.clear()
    supervisor = FakeSupervisor(host.layout, "demo", host.engine)
    yield host
    supervisor.close()


def steps(host: MemoryHost) -> list[tuple[str, str]]:
    """What was reported as done: (container, text)."""
    return [
        (event.resource.removeprefix("Container demo-"), event.text)
        for event in host.events
        if event.phase.value == "done"
    ]


def requests(host: MemoryHost) -> list[str]:
    return [type(request).__name__ for request in host.engine.requests]


def test_stop_begins_with_the_dependents(running: MemoryHost) -> None:
    stop(running, DEMO, running.events.append, grace_s=2.0)
    assert steps(running) == [("worker-1", "Stopped"), ("api-1", "Stopped")]
    request = running.engine.requests[0]
    assert isinstance(request, base.StopContainer)
    assert request.grace_s == 2.0


def test_stopping_again_asks_nobody(running: MemoryHost) -> None:
    stop(running, DEMO, running.events.append)
    running.engine.requests.clear()
    stop(running, DEMO, running.events.append)
    assert running.engine.requests == []


def test_stop_of_one_service_leaves_the_others(running: MemoryHost) -> None:
    stop(running, DEMO._replace(services=("worker",)), running.events.append)
    assert running.statuses()["demo-api-1"] == Status.RUNNING


def test_start_waits_for_what_was_waited_for_at_first(running: MemoryHost) -> None:
    stop(running, DEMO, running.events.append)
    running.engine.requests.clear()
    start(running, DEMO, running.events.append)
    assert requests(running) == [
        "StartContainer",
        "WaitExited",
        "StartContainer",
        "WaitHealthy",
        "StartContainer",
    ]
    assert running.statuses()["demo-worker-1"] == Status.RUNNING


def test_start_with_wait_ends_when_all_are_healthy(running: MemoryHost) -> None:
    stop(running, DEMO, running.events.append)
    start(running, DEMO._replace(services=("api",)), running.events.append, wait=True)
    api = next(c for c in running.engine.observe().containers if c.service == "api")
    assert api.health == "healthy"


def test_start_of_a_service_without_container_says_how_to_make_one(running: MemoryHost) -> None:
    target = Target("demo", ("extra",), ("api", "extra"))
    with pytest.raises(NotFound, match='"extra" has no container to start'):
        start(running, target, running.events.append)


def test_restart_takes_dependents_with_restart_along(running: MemoryHost) -> None:
    restart(running, DEMO._replace(services=("api",)), running.events.append)
    assert steps(running) == [("api-1", "Started"), ("worker-1", "Started")]
    running.events.clear()
    target = DEMO._replace(services=("api",))
    restart(running, target, running.events.append, dependents=False)
    assert steps(running) == [("api-1", "Started")]


def test_kill_sends_the_signal_to_what_runs(running: MemoryHost) -> None:
    kill(running, DEMO, running.events.append, signal="sigterm")
    sent = [r.signal for r in running.engine.requests if isinstance(r, base.KillContainer)]
    assert sent == ["SIGTERM", "SIGTERM"]


def test_kill_of_nothing_is_a_warning(running: MemoryHost) -> None:
    stop(running, DEMO, running.events.append)
    running.events.clear()
    kill(running, DEMO, running.events.append)
    assert running.texts() == ["no container to kill"]


def test_pause_and_unpause(running: MemoryHost) -> None:
    pause(running, DEMO, running.events.append)
    assert running.statuses()["demo-api-1"] == Status.PAUSED
    unpause(running, DEMO, running.events.append)
    assert running.statuses()["demo-api-1"] == Status.RUNNING


def test_rm_takes_only_what_is_stopped_unless_told_to_stop(running: MemoryHost) -> None:
    rm(running, DEMO, running.events.append, stop=False, volumes=False)
    assert sorted(running.statuses()) == ["demo-api-1", "demo-worker-1"]
    rm(running, DEMO, running.events.append, stop=True, volumes=False)
    assert running.statuses() == {}


def test_orphans_are_left_alone_unless_they_are_named(running: MemoryHost) -> None:
    target = DEMO._replace(declared=("api",))
    stop(running, target, running.events.append)
    assert steps(running) == [("api-1", "Stopped")]
    kill(running, target, running.events.append)
    assert running.statuses()["demo-worker-1"] == Status.RUNNING
    stop(running, target._replace(services=("worker",)), running.events.append)
    assert running.statuses()["demo-worker-1"] == Status.EXITED


def test_kill_takes_orphans_along_on_demand(running: MemoryHost) -> None:
    target = DEMO._replace(declared=("api",))
    kill(running, target, running.events.append, remove_orphans=True)
    assert sorted(steps(running)) == [("api-1", "Killed"), ("worker-1", "Killed")]


def test_without_a_compose_file_nothing_is_an_orphan(running: MemoryHost) -> None:
    stop(running, Target("demo"), running.events.append)
    assert Status.RUNNING not in running.statuses().values()


def test_ls_counts_what_runs_and_on_demand_the_rest(running: MemoryHost) -> None:
    assert [line.status for line in ls(running.layout)] == ["running(2)"]
    everything = [line.status for line in ls(running.layout, stopped_too=True)]
    assert everything == ["exited(1), running(2)"]
    stop(running, DEMO, running.events.append)
    assert ls(running.layout) == ()


def test_ps_shows_what_runs_and_on_demand_the_rest(running: MemoryHost) -> None:
    names = [c.name for c in ps(running.layout, DEMO, PsOptions())]
    assert names == ["demo-api-1", "demo-worker-1"]
    everything = [c.name for c in ps(running.layout, DEMO, PsOptions(all=True))]
    assert everything == ["demo-api-1", "demo-migrate-1", "demo-worker-1"]
    exited = [c.name for c in ps(running.layout, DEMO, PsOptions(statuses=(Status.EXITED,)))]
    assert exited == ["demo-migrate-1"]
    target = DEMO._replace(declared=("api",))
    own = [c.name for c in ps(running.layout, target, PsOptions(orphans=False))]
    assert own == ["demo-api-1"]


def test_unknown_service_is_told_with_the_one_that_was_meant(running: MemoryHost) -> None:
    with pytest.raises(NotFound) as caught:
        stop(running, DEMO._replace(services=("workr",)), running.events.append)
    assert str(caught.value) == 'no such service: "workr"\n  fix: did you mean "worker"?'


def test_wait_gives_the_exit_codes_of_what_has_ended(running: MemoryHost) -> None:
    target = DEMO._replace(services=("migrate",))
    assert [(c.name, code) for c, code in wait(running, target)] == [("demo-migrate-1", 0)]


def test_wait_without_containers_is_not_found(host: MemoryHost) -> None:
    with pytest.raises(NotFound, match='no containers for project "demo"'):
        list(wait(host, Target("demo")))
