"""What the engine does for containers while its supervisor is well."""

from __future__ import annotations

import os
import stat
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestra.engine.base import (
    CreateContainer,
    KillContainer,
    PauseContainer,
    RestartContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    WaitHealthy,
    call,
)
from orchestra.errors import Conflict, LaunchFailed, RuntimeFailure
from orchestra.linux.procfs import is_running
from orchestra.model.container import (
    HealthCheck,
    LogConfig,
    Namespaces,
    Process,
    Resources,
    RestartMode,
    RestartPolicy,
)
from orchestra.model.state import Status
from orchestra.supervisor.client import SocketEngine
from tests.integration.supervised import FOREVER, NAME, Supervised
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.network]


@pytest.fixture
def project(roots: dict[str, str]) -> Iterator[Supervised]:
    supervised = Supervised(roots["ORCHESTRA_DATA_ROOT"], roots["ORCHESTRA_RUN_ROOT"])
    yield supervised
    supervised.close()


def test_socket_and_state_are_the_owners_only(project: Supervised) -> None:
    project.started("true")
    layout = project.layout
    for path in (layout.run_root, layout.data_root, layout.run(NAME), layout.containers(NAME)):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(layout.socket(NAME)).st_mode) == 0o600


def test_memory_limit_that_is_exceeded_is_told(project: Supervised) -> None:
    script = "exec python3 -c 'x = bytearray(200_000_000)'"
    limit = Resources(memory_bytes=32 << 20, memory_swap_bytes=32 << 20)
    identifier = project.started(script, resources=limit)
    assert project.exit_code(identifier) == 137
    assert project.state(identifier).oom_killed


def test_terminal_output_is_logged(project: Supervised) -> None:
    process = Process(
        argv=("sh", "-c", "tty; sleep 0.2; echo done"), env=(("PATH", "/usr/bin:/bin"),), tty=True
    )
    identifier = project.started("", process=process)
    assert project.exit_code(identifier) == 0
    text = b"".join(line.text for line in project.lines(identifier))
    assert text == b"/dev/pts/0\r\ndone\r\n" or text.endswith(b"done\r\n")


def test_terminal_survives_a_killed_supervisor(project: Supervised) -> None:
    process = Process(
        argv=("sh", "-c", "sleep 1; echo still here; sleep 0.2"),
        env=(("PATH", "/usr/bin:/bin"),),
        tty=True,
    )
    identifier = project.started("", process=process)
    project.kill_supervisor()
    assert project.exit_code(identifier) == 0
    assert b"still here\r\n" in [line.text for line in project.lines(identifier)]


def test_driver_none_keeps_no_log_and_blocks_nobody(project: Supervised) -> None:
    script = "i=0; while [ $i -lt 5000 ]; do echo ++++++++++++++++++++ $i; i=$((i+1)); done"
    identifier = project.started(script, log=LogConfig(driver="none"))
    assert project.exit_code(identifier) == 0
    assert project.lines(identifier) == []


def test_on_failure_restarts_so_often_and_no_more(project: Supervised) -> None:
    policy = RestartPolicy(mode=RestartMode.ON_FAILURE, max_attempts=3)
    identifier = project.started("echo run; exit 7", restart=policy)
    assert project.exit_code(identifier) == 7
    state = project.state(identifier)
    assert (state.status, state.restart_count) == (Status.EXITED, 3)
    assert [line.text for line in project.lines(identifier)] == [b"run\n"] * 4


def test_stopping_ends_a_restart_loop(project: Supervised) -> None:
    policy = RestartPolicy(mode=RestartMode.ALWAYS)
    identifier = project.started("exit 1", restart=policy)
    eventually(lambda: project.state(identifier).restart_count >= 2, within_s=5)
    call(project.engine, StopContainer(id=identifier))
    assert project.state(identifier).status == Status.EXITED


def test_kill_is_not_undone_by_the_restart_policy(project: Supervised) -> None:
    identifier = project.forever(restart=RestartPolicy(mode=RestartMode.ALWAYS))
    call(project.engine, KillContainer(id=identifier))
    assert project.exit_code(identifier) == 137


def test_crash_is_undone_by_the_restart_policy(project: Supervised) -> None:
    identifier = project.forever(restart=RestartPolicy(mode=RestartMode.ALWAYS))
    before = project.state(identifier)
    os.kill(before.pid, 9)
    eventually(
        lambda: project.state(identifier).pid not in (0, before.pid),
        within_s=5,
    )
    assert project.state(identifier).restart_count == 1


def test_grace_period_ends_with_sigkill(project: Supervised) -> None:
    identifier = project.started("trap '' TERM; while :; do sleep 0.1; done")
    begin_s = time.monotonic()
    call(project.engine, StopContainer(id=identifier, grace_s=0.3))
    assert 0.3 <= time.monotonic() - begin_s < 3
    assert project.state(identifier).exit_code == 137


def test_paused_container_can_be_stopped(project: Supervised) -> None:
    identifier = project.forever()
    call(project.engine, PauseContainer(id=identifier))
    assert project.state(identifier).status == Status.PAUSED
    call(project.engine, StopContainer(id=identifier, grace_s=5))
    assert project.state(identifier).exit_code == 0


def test_paused_container_is_adopted_paused(project: Supervised) -> None:
    identifier = project.forever()
    call(project.engine, PauseContainer(id=identifier))
    project.kill_supervisor()
    call(project.engine, UnpauseContainer(id=identifier))
    call(project.engine, StopContainer(id=identifier, grace_s=5))
    assert project.state(identifier).exit_code == 0


def test_processes_in_the_hosts_pid_namespace_go_with_the_container(project: Supervised) -> None:
    script = "sleep 1234 & echo $!; trap 'exit 0' TERM; wait"
    identifier = project.started(script, namespaces=Namespaces(pid="host"))
    (line,) = eventually(lambda: project.lines(identifier), within_s=5)
    call(project.engine, StopContainer(id=identifier))
    eventually(lambda: not os.path.exists(f"/proc/{int(line.text)}"), within_s=5)


def test_restart_gives_a_new_process_and_keeps_the_files(project: Supervised) -> None:
    identifier = project.started(
        "trap 'exit 0' TERM; test -e /kept && echo kept; touch /kept; echo up; "
        "while :; do sleep 1000 & wait; done"
    )
    eventually(lambda: project.lines(identifier), within_s=5)
    before = project.state(identifier).pid
    call(project.engine, RestartContainer(id=identifier, grace_s=5))
    assert project.state(identifier).pid != before
    eventually(
        lambda: [line.text for line in project.lines(identifier)] == [b"up\n", b"kept\n", b"up\n"],
        within_s=5,
    )


def test_failed_start_leaves_an_error_and_can_be_removed(project: Supervised) -> None:
    spec = project.spec("")
    process = msgspec.structs.replace(spec.process, argv=("no-such-command",))
    spec = msgspec.structs.replace(spec, process=process)
    call(project.engine, CreateContainer(spec=spec))
    with pytest.raises(LaunchFailed) as caught:
        call(project.engine, StartContainer(id=spec.id))
    assert caught.value.exit_code == 127
    state = project.state(spec.id)
    assert (state.status, state.exit_code) == (Status.CREATED, 127)
    assert "no-such-command" in state.error


def test_probe_that_takes_too_long_fails_and_is_killed(project: Supervised) -> None:
    check = HealthCheck(
        test=("CMD-SHELL", "echo waiting; sleep 4321"),
        interval_s=0.1,
        timeout_s=0.3,
        retries=1,
    )
    identifier = project.forever(healthcheck=check)
    with pytest.raises(RuntimeFailure, match=r"unhealthy.*waiting"):
        call(project.engine, WaitHealthy(id=identifier))


def test_start_interval_counts_until_it_is_healthy_and_interval_after(project: Supervised) -> None:
    check = HealthCheck(
        test=("CMD-SHELL", "date +%s%N >> /tmp/probes; test -e /tmp/ready"),
        interval_s=0.6,
        start_interval_s=0.1,
        start_period_s=30,
        retries=1,
    )
    identifier = project.started(f"sleep 0.8; touch /tmp/ready; {FOREVER}", healthcheck=check)
    call(project.engine, WaitHealthy(id=identifier))
    spec_dir = project.layout.snapshot(NAME, identifier)

    def times() -> list[int]:
        for directory, _, names in os.walk(spec_dir):
            if "probes" in names:
                with open(os.path.join(directory, "probes")) as file:
                    return [int(line) for line in file]
        return []

    before = len(times())
    assert before >= 4  # dense, although failing: none of them counted
    eventually(lambda: len(times()) >= before + 2, within_s=10)
    gaps_s = [(later - earlier) / 1e9 for earlier, later in pairwise(times())]
    assert min(gaps_s[: before - 1]) < 0.5
    assert min(gaps_s[before - 1 :]) >= 0.6


def test_events_tell_the_story(project: Supervised) -> None:
    watcher = project.host.open_engine(NAME)
    assert isinstance(watcher, SocketEngine)
    watcher.subscribe()
    watcher.observe()  # the subscription has been taken in
    identifier = project.started("exit 5")
    project.exit_code(identifier)
    actions = []
    while "die" not in actions:
        event = watcher.next_event(5)
        assert event is not None
        assert event.id == identifier
        actions.append(event.action)
        last = event
    watcher.close()
    assert actions == ["create", "start", "die"]
    assert last.exit_code == 5


def test_events_of_a_restart_and_a_stop(project: Supervised) -> None:
    identifier = project.forever()
    watcher = project.host.open_engine(NAME)
    assert isinstance(watcher, SocketEngine)
    watcher.subscribe()
    watcher.observe()
    call(project.engine, RestartContainer(id=identifier, grace_s=0))
    call(project.engine, StopContainer(id=identifier, grace_s=0))
    told = [watcher.next_event(5) for _ in range(8)]
    watcher.close()
    actions = [event.action for event in told if event is not None]
    assert actions == ["kill", "die", "stop", "start", "restart", "kill", "die", "stop"]


def test_supervisor_ends_with_the_last_container_and_client(project: Supervised) -> None:
    identifier = project.started("sleep 0.5")
    processes = project.processes()
    project.engine.close()
    assert all(is_running(*process) for process in processes)
    eventually(lambda: not any(is_running(*process) for process in processes), within_s=5)
    assert project.state(identifier).status == Status.EXITED
    assert not os.path.exists(project.layout.socket(NAME))
    project.engine = project.host.open_engine(NAME)
    assert project.exit_code(identifier) == 0


def test_a_supervisor_that_was_prepared_serves_as_one_that_is_forked_on_demand(
    project: Supervised,
) -> None:
    old = project.processes()
    project.engine.close()
    eventually(lambda: not any(is_running(*process) for process in old), within_s=5)
    project.host.expect_engine()
    project.engine = project.host.open_engine(NAME)
    eventually(lambda: project.processes() != old, within_s=5)
    identifier = project.started("exit 3")
    assert project.exit_code(identifier) == 3


def test_supervisor_and_reaper_are_small_when_left_alone(project: Supervised) -> None:
    for _ in range(10):
        project.forever()
    project.engine.close()
    processes = project.processes()
    target_kib = 20 * 1024
    eventually(
        lambda: sum(proportional_set_kib(pid) for pid, _ in processes) < target_kib, within_s=15
    )
    project.engine = project.host.open_engine(NAME)
    assert project.processes() == processes


def proportional_set_kib(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def test_name_is_taken_on_the_whole_machine(project: Supervised) -> None:
    project.forever(name="the-one")
    other = project.spec(FOREVER, name="the-one")
    with pytest.raises(Conflict, match="already in use"):
        call(project.engine, CreateContainer(spec=other))


def test_stuck_probe_keeps_neither_the_stop_nor_the_loop_waiting(project: Supervised) -> None:
    check = HealthCheck(test=("CMD-SHELL", "trap '' TERM; sleep 4321"), interval_s=0.05)
    identifier = project.forever(healthcheck=check)
    other = project.started("sleep 0.3")
    assert project.exit_code(other) == 0
    call(project.engine, StopContainer(id=identifier, grace_s=5))
    assert project.state(identifier).exit_code == 0
