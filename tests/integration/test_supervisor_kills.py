"""SIGKILL of supervisor or reaper at any moment: nothing of the user's is lost or doubled."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from orchestra.engine.base import (
    CreateContainer,
    CreateNetwork,
    RemoveContainer,
    RemoveNetwork,
    StartContainer,
    StopContainer,
    WaitExited,
    WaitHealthy,
    call,
)
from orchestra.linux.procfs import is_running
from orchestra.model.container import Endpoint, HealthCheck, RestartMode, RestartPolicy
from orchestra.model.network import NetworkSpec
from orchestra.model.state import Status
from tests.integration.supervised import FOREVER, NAME, Supervised
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.network]

COUNT = "i=0; while [ $i -lt {0} ]; do echo line $i; i=$((i+1)); done; exit 3"


@pytest.fixture
def project(roots: dict[str, str]) -> Iterator[Supervised]:
    supervised = Supervised(roots["ORCHESTRA_DATA_ROOT"], roots["ORCHESTRA_RUN_ROOT"])
    yield supervised
    supervised.close()


def numbered(count: int) -> list[bytes]:
    return [b"line %d\n" % number for number in range(count)]


def test_killed_supervisor_loses_and_doubles_no_line(project: Supervised) -> None:
    identifier = project.started(COUNT.format(60_000))
    for _ in range(3):
        project.kill_supervisor()
        eventually(project.has_recovered, within_s=5)
    assert project.exit_code(identifier) == 3
    assert [line.text for line in project.lines(identifier)] == numbered(60_000)


def test_lines_written_while_nobody_reads_are_kept(project: Supervised) -> None:
    """The container ends while there is no supervisor: output and exit status wait for the next."""
    identifier = project.started("sleep 0.5; echo last words; echo error >&2; exit 4")
    state = project.state(identifier)
    (_, (reaper, _)) = project.processes()
    os.kill(reaper, signal.SIGSTOP)
    project.kill_supervisor()
    eventually(lambda: not is_running(state.pid, state.start_ticks), within_s=5)
    os.kill(reaper, signal.SIGCONT)
    assert project.exit_code(identifier) == 4
    lines = {(line.stream, line.text) for line in project.lines(identifier)}
    assert lines == {(1, b"last words\n"), (2, b"error\n")}


def test_killed_reaper_loses_no_line_and_no_exit_code(project: Supervised) -> None:
    identifier = project.started(COUNT.format(60_000))
    project.kill_reaper()
    assert project.exit_code(identifier) == 3
    assert [line.text for line in project.lines(identifier)] == numbered(60_000)


@pytest.mark.parametrize("seed", range(6))
def test_random_kills_of_both(project: Supervised, seed: int) -> None:
    chance = random.Random(seed)
    identifier = project.started(COUNT.format(40_000))
    ticket = project.engine.submit(WaitExited(id=identifier))
    completion = None
    for _ in range(4):
        kill = chance.choice(
            (project.kill_supervisor, project.kill_supervisor, project.kill_reaper)
        )
        kill()
        completion = project.engine.next_completion(chance.choice((0.001, 0.01, 0.1)))
        if completion is not None:
            break
        eventually(project.has_recovered, within_s=5)
    completion = completion or project.engine.next_completion(20)
    assert completion is not None
    assert completion.ticket == ticket
    assert completion.exit_code == 3
    assert [line.text for line in project.lines(identifier)] == numbered(40_000)


def test_supervisors_that_keep_being_killed_keep_coming(project: Supervised) -> None:
    """The sixth in a row after a pause, without anybody asking; at once for a client."""
    identifier = project.forever()
    for _ in range(6):
        project.kill_supervisor()
        eventually(project.has_recovered, within_s=5)
    _, reaper = project.processes()
    for _ in range(3):  # the pauses would be of 2, 4 and 8 s
        project.kill_supervisor()
        began_s = time.monotonic()
        project.host.open_engine(NAME).close()
        assert time.monotonic() - began_s < 1.5
    assert project.processes()[1] == reaper
    assert project.state(identifier).status == Status.RUNNING


def test_container_goes_on_and_is_adopted(project: Supervised) -> None:
    identifier = project.forever()
    before = project.state(identifier)
    project.kill_supervisor()
    assert is_running(before.pid, before.start_ticks)
    eventually(project.has_recovered, within_s=5)
    assert project.state(identifier) == before
    call(project.engine, StopContainer(id=identifier))
    after = project.state(identifier)
    assert (after.status, after.exit_code) == (Status.EXITED, 0)


def test_a_request_under_way_is_answered_by_the_next_supervisor(project: Supervised) -> None:
    identifier = project.forever()
    ticket = project.engine.submit(WaitExited(id=identifier))
    project.kill_supervisor()
    stop = project.engine.submit(StopContainer(id=identifier))
    answers = {}
    for _ in range(2):
        completion = project.engine.next_completion(10)
        assert completion is not None
        answers[completion.ticket] = completion
    assert answers[ticket].exit_code == 0
    assert answers[stop].error is None


def test_healthchecks_go_on(project: Supervised) -> None:
    check = HealthCheck(test=("CMD", "test", "-e", "/tmp/ok"), interval_s=0.1, retries=1000)
    identifier = project.started("sleep 1; touch /tmp/ok; " + FOREVER, healthcheck=check)
    project.kill_supervisor()
    call(project.engine, WaitHealthy(id=identifier))
    assert project.state(identifier).health == "healthy"


def test_a_restart_that_was_due_happens(project: Supervised) -> None:
    policy = RestartPolicy(mode=RestartMode.ALWAYS, delay_s=0.3)
    identifier = project.started("exit 1", restart=policy)
    eventually(lambda: project.state(identifier).status == Status.RESTARTING, within_s=5)
    project.kill_supervisor()
    eventually(project.has_recovered, within_s=5)
    eventually(lambda: project.state(identifier).restart_count >= 2, within_s=5)


def test_attempts_of_a_restart_policy_are_still_counted(project: Supervised) -> None:
    policy = RestartPolicy(mode=RestartMode.ON_FAILURE, max_attempts=2, delay_s=0.3)
    identifier = project.started("echo run; exit 1", restart=policy)
    eventually(lambda: project.state(identifier).restart_count == 1, within_s=5)
    project.kill_supervisor()
    eventually(project.has_recovered, within_s=5)
    assert project.exit_code(identifier) == 1
    assert project.state(identifier).restart_count == 2
    assert [line.text for line in project.lines(identifier)] == [b"run\n"] * 3


def test_kill_in_the_middle_of_many_starts_heals(project: Supervised) -> None:
    specs = [project.spec(FOREVER) for _ in range(20)]
    for spec in specs:
        project.engine.submit(CreateContainer(spec=spec))
        project.engine.submit(StartContainer(id=spec.id))
    for _ in range(10):
        assert project.engine.next_completion(10) is not None
    project.kill_supervisor()
    for _ in range(30):
        completion = project.engine.next_completion(10)
        assert completion is not None
        assert completion.error is None
    states = [project.state(spec.id) for spec in specs]
    assert {state.status for state in states} == {Status.RUNNING}
    assert len({state.pid for state in states}) == 20


def test_a_half_made_container_is_discarded(project: Supervised) -> None:
    directory = project.layout.container(NAME, "f" * 64)
    os.makedirs(directory)
    with open(os.path.join(directory, "spec.json"), "w") as file:
        file.write('{"id": "ff')
    identifier = project.forever()
    project.kill_supervisor()
    eventually(project.has_recovered, within_s=5)
    assert not os.path.exists(directory)
    assert project.state(identifier).status == Status.RUNNING


def test_names_are_resolved_all_the_time(project: Supervised) -> None:
    """The name server's sockets are parked: a question waits for the next supervisor."""
    network = NetworkSpec(name=f"{NAME}_default", project=NAME, key="default")
    call(project.engine, CreateNetwork(spec=network))
    timed = "a=$(date +%s); getent hosts me >/dev/null || echo failed; b=$(date +%s)"
    ask = f"{timed}; [ $((b-a)) -lt 4 ] || echo slow; i=$((i+1))"  # a lost question costs 5 s
    identifier = project.started(
        f"i=0; while [ $i -lt 60 ]; do {ask}; done; echo done",
        endpoints=(Endpoint(network=network.name, aliases=("me",)),),
    )
    for _ in range(3):
        project.kill_supervisor()
        eventually(project.has_recovered, within_s=5)
    assert project.exit_code(identifier) == 0
    assert [line.text for line in project.lines(identifier)] == [b"done\n"]
    call(project.engine, RemoveContainer(id=identifier))
    call(project.engine, RemoveNetwork(name=network.name))


def test_a_reboot_leaves_containers_that_can_be_started(project: Supervised) -> None:
    """Everything is dead and the run root is gone; a damaged state is made good."""
    identifier = project.forever()
    damaged = project.forever()
    pids = [project.state(each).pid for each in (identifier, damaged)]
    (supervisor, _), (reaper, _) = project.processes()
    for pid in (reaper, supervisor, *pids):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: project.state(damaged).status == Status.EXITED, within_s=5)
    shutil.rmtree(project.layout.run_root)
    with open(project.layout.state_json(NAME, damaged), "w"):
        pass
    for each in (identifier, damaged):
        call(project.engine, StartContainer(id=each))
        assert project.state(each).status == Status.RUNNING


def test_states_are_right_without_any_process_of_ours(project: Supervised) -> None:
    identifier = project.forever()
    state = project.state(identifier)
    (supervisor, _), (reaper, _) = project.processes()
    os.kill(reaper, 9)
    os.kill(supervisor, 9)
    assert project.state(identifier).status == Status.RUNNING
    os.kill(state.pid, 9)
    eventually(lambda: project.state(identifier).status == Status.EXITED, within_s=5)
    call(project.engine, RemoveContainer(id=identifier))
