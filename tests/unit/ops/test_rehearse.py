"""A dry run tells the steps of the plan and asks the engine for none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.ops.down import DownOptions, down, rehearse_down
from orchestra.ops.kill import kill
from orchestra.ops.pause import pause
from orchestra.ops.pull import PullOptions
from orchestra.ops.rehearse_pull import rehearse_pull
from orchestra.ops.rehearse_run import rehearse_run
from orchestra.ops.restart import restart
from orchestra.ops.rm import rm
from orchestra.ops.run import RunOptions
from orchestra.ops.start import start
from orchestra.ops.stop import stop
from orchestra.ops.target import Target
from orchestra.ops.unpause import unpause
from orchestra.ops.up import UpOptions, rehearse_up, up
from orchestra.plan.events import Phase, Progress
from tests.support.fake_supervisor import FakeSupervisor
from tests.unit.plan.projects import needs, project, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.ops.host import Host
    from orchestra.plan.events import Report
    from tests.unit.ops.conftest import MemoryHost

DEMO = Target("demo", declared=("api", "worker"))
PROJECT = project(service("api"), service("worker", depends_on=(needs("api", "started"),)))


@pytest.fixture
def running(host: MemoryHost) -> Iterator[MemoryHost]:
    """The project, up, behind a socket; `events` is empty again."""
    up(host, PROJECT, UpOptions(), host.events.append)
    supervisor = FakeSupervisor(host.layout, "demo", host.engine)
    _forget(host)
    yield host
    supervisor.close()


def _forget(host: MemoryHost) -> None:
    host.events.clear()
    host.engine.requests.clear()


def told(host: MemoryHost) -> list[str]:
    return [f"{e.resource.removeprefix('Container demo-')} {e.text}" for e in host.events]


def test_up_of_a_new_project_tells_all_and_makes_nothing(host: MemoryHost) -> None:
    rehearse_up(host, PROJECT, UpOptions(), host.events.append)
    assert told(host)[-2:] == ["worker-1 Starting", "worker-1 Started"]
    assert host.engine.requests == []
    assert host.statuses() == {}


def test_images_that_are_not_here_are_told_as_pulled(host: MemoryHost) -> None:
    wanted = project(service("cache", image="redis:7"), service("api"))
    rehearse_up(host, wanted, UpOptions(), host.events.append)
    assert told(host)[:2] == ["cache Pulling", "cache Pulled"]
    assert "cache-1 Started" in told(host)


def test_pull_tells_what_it_would_pull(host: MemoryHost) -> None:
    wanted = project(service("cache", image="redis:7"), service("tool", image="host"))
    rehearse_pull(host, wanted, PullOptions(), host.events.append)
    assert told(host) == [
        "tool Skipped - Image is this machine itself",
        "cache Pulling",
        "cache Pulled",
    ]


def test_run_tells_the_dependencies_and_its_container(host: MemoryHost) -> None:
    options = RunOptions("worker", detach=True)
    name = rehearse_run(host, PROJECT, options, host.events.append)
    assert "api-1 Started" in told(host)
    assert host.events[-1] == Progress(f"Container {name}", Phase.DONE, "Started")
    assert host.engine.requests == []


def test_up_of_a_running_project_says_that_it_runs(running: MemoryHost) -> None:
    rehearse_up(running, PROJECT, UpOptions(), running.events.append)
    assert told(running) == ["api-1 Running", "worker-1 Running"]


def test_down_tells_all_and_removes_nothing(running: MemoryHost) -> None:
    before = running.statuses()
    rehearse_down(running, DEMO, DownOptions(), running.events.append)
    assert told(running)[-1] == "Network demo_default Removed"
    assert running.engine.requests == []
    assert running.statuses() == before


def test_down_of_nothing_says_so(running: MemoryHost) -> None:
    down(running, DEMO, DownOptions(), running.events.append)
    _forget(running)
    rehearse_down(running, DEMO, DownOptions(), running.events.append)
    (remark,) = running.events
    assert remark.text.startswith("Warning: No resource found to remove")


def _stop(host: Host, target: Target, report: Report) -> None:
    stop(host, target, report, dry_run=True)


def _kill(host: Host, target: Target, report: Report) -> None:
    kill(host, target, report, dry_run=True)


def _pause(host: Host, target: Target, report: Report) -> None:
    pause(host, target, report, dry_run=True)


def _restart(host: Host, target: Target, report: Report) -> None:
    restart(host, target, report, dry_run=True)


def _rm(host: Host, target: Target, report: Report) -> None:
    rm(host, target, report, stop=True, volumes=True, dry_run=True)


@pytest.mark.parametrize(
    ("command", "last"),
    [
        (_stop, "api-1 Stopped"),
        (_kill, "worker-1 Killed"),
        (_pause, "worker-1 Paused"),
        (_restart, "worker-1 Started"),
        (_rm, "api-1 Removed"),
    ],
)
def test_commands_on_what_runs_tell_their_steps_and_ask_nobody(
    running: MemoryHost, command: Callable[[Host, Target, Report], None], last: str
) -> None:
    before = running.statuses()
    command(running, DEMO, running.events.append)
    assert told(running)[-1] == last
    assert running.engine.requests == []
    assert running.statuses() == before


def test_start_and_unpause_tell_what_they_would_set_going(running: MemoryHost) -> None:
    stop(running, DEMO._replace(services=("worker",)), running.events.append)
    pause(running, DEMO._replace(services=("api",)), running.events.append)
    _forget(running)
    start(running, DEMO, running.events.append, wait=True, dry_run=True)
    unpause(running, DEMO, running.events.append, dry_run=True)
    assert "worker-1 Started" in told(running)
    assert told(running)[-1] == "api-1 Unpaused"
    assert running.engine.requests == []


def test_an_unknown_service_is_told_as_ever(running: MemoryHost) -> None:
    with pytest.raises(NotFound):
        stop(running, DEMO._replace(services=("nope",)), running.events.append, dry_run=True)
