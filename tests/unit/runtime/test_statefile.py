from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from orchestra.errors import PermissionDenied
from orchestra.layout import Layout
from orchestra.linux.procfs import start_ticks
from orchestra.model.container import ContainerId, ContainerSpec, ImageId, Process
from orchestra.model.state import ContainerState, Status, dump_state
from orchestra.runtime.statefile import (
    EXIT_CODE_LOST,
    exit_code,
    parse_exits,
    read_states,
    write_atomically,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "data"), str(tmp_path / "run"))


def stored(layout: Layout, name: str, **fields: object) -> ContainerState:
    state = ContainerState(
        id=name,
        name=name,
        project="p",
        service=name,
        number=1,
        image="host",
        image_id="host",
        config_hash="",
        command=("sleep", "1"),
        created_ns=1,
    )._replace(**fields)  # type: ignore[arg-type]
    os.makedirs(layout.container("p", name))
    write_atomically(layout.state_json("p", name), dump_state(state))
    return state


def test_state_is_read_as_it_was_written(layout: Layout) -> None:
    state = stored(layout, "web", labels=(("a", "b"),), exit_code=3, status=Status.EXITED)
    assert read_states(layout, "p") == (state,)


def test_project_that_does_not_exist_has_no_containers(layout: Layout) -> None:
    assert read_states(layout, "p") == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_somebody_elses_projects_are_refused(layout: Layout) -> None:
    stored(layout, "web")
    os.chmod(layout.containers("p"), 0)
    with pytest.raises(PermissionDenied, match="permission denied"):
        read_states(layout, "p")


def test_running_process_is_running(layout: Layout) -> None:
    pid = os.getpid()
    state = stored(layout, "web", status=Status.RUNNING, pid=pid, start_ticks=start_ticks(pid))
    assert read_states(layout, "p") == (state,)


def test_reused_pid_is_reported_as_exited(layout: Layout) -> None:
    stored(layout, "web", status=Status.RUNNING, pid=os.getpid(), start_ticks=1, health="healthy")
    (state,) = read_states(layout, "p")
    assert (state.status, state.pid, state.health) == (Status.EXITED, 0, "")
    assert state.exit_code == EXIT_CODE_LOST


def test_exit_code_comes_from_the_reapers_file(layout: Layout) -> None:
    stored(layout, "web", status=Status.RUNNING, pid=os.getpid(), start_ticks=1)
    os.makedirs(layout.run("p"))
    with open(layout.exits("p"), "w") as file:
        file.write(f"{os.getpid()} 1 {7 << 8}\n")
    assert read_states(layout, "p")[0].exit_code == 7


def test_half_made_container_is_left_out(layout: Layout) -> None:
    os.makedirs(layout.container("p", "half"))
    with open(layout.spec_json("p", "half"), "w") as file:
        file.write('{"id":')
    stored(layout, "web")
    assert [state.id for state in read_states(layout, "p")] == ["web"]


@pytest.mark.parametrize("content", [b"", b"\0" * 500, b"{}", b"[1]", b'{"id": 3}', b"\xff"])
def test_damaged_state_is_made_good_from_the_spec(layout: Layout, content: bytes) -> None:
    stored(layout, "web")
    spec = ContainerSpec(
        id=ContainerId("web"),
        name="p-web-2",
        project="p",
        service="web",
        number=2,
        image="host",
        image_id=ImageId("host"),
        process=Process(argv=("true",)),
        labels=(("k", "v"),),
    )
    write_atomically(layout.spec_json("p", "web"), msgspec.json.encode(spec))
    with open(layout.state_json("p", "web"), "wb") as file:
        file.write(content)
    (state,) = read_states(layout, "p")
    assert (state.name, state.number, state.labels) == ("p-web-2", 2, (("k", "v"),))
    assert state.status == Status.EXITED
    assert "lost" in state.error


def test_order_is_service_then_number(layout: Layout) -> None:
    for name, service, number in (("a", "web", 10), ("b", "web", 2), ("c", "api", 1)):
        stored(layout, name, service=service, number=number)
    assert [state.id for state in read_states(layout, "p")] == ["c", "b", "a"]


def test_write_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"one", b"two"):
        write_atomically(str(path), content)
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_failed_write_leaves_the_old_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(str(tmp_path / "directory"), b"x")
    assert os.listdir(tmp_path) == ["directory"]


def test_damaged_lines_of_an_exits_file_are_skipped() -> None:
    content = b"12 34 256\nnonsense\n1 2\n5 6 0\n7 8"
    assert parse_exits(content) == {(12, 34): 256, (5, 6): 0}


@pytest.mark.parametrize(("status", "code"), [(0, 0), (3 << 8, 3), (9, 137), (11 | 0x80, 139)])
def test_exit_code_as_a_shell_tells_it(status: int, code: int) -> None:
    assert exit_code(status) == code


def test_exit_code_is_not_called_lost_before_the_reaper_had_time_to_note_it(
    layout: Layout,
) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    ticks = start_ticks(pid)
    running = stored(layout, "web", status=Status.RUNNING, pid=pid, start_ticks=ticks)
    assert read_states(layout, "p") == (running,)

    os.makedirs(layout.run("p"))
    with open(layout.exits("p"), "w") as file:
        file.write(f"{pid} {ticks} {3 << 8}\n")
    assert [(s.status, s.exit_code) for s in read_states(layout, "p")] == [(Status.EXITED, 3)]

    os.waitpid(pid, 0)
    os.unlink(layout.exits("p"))
    (lost,) = read_states(layout, "p")
    assert (lost.status, lost.exit_code) == (Status.EXITED, EXIT_CODE_LOST)
