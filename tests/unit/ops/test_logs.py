"""Logs of several containers: merged by time, followed to the end, ends told."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import NotFound
from orchestra.layout import Layout
from orchestra.model.state import ContainerState, Status, dump_state
from orchestra.ops.logs import Follower, LogEvent, LogOptions, read_logs
from orchestra.ops.target import Target
from orchestra.runtime.logread import Span
from orchestra.runtime.logs import LogWriter, Rotation
from orchestra.runtime.statefile import read_states, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Project:
    """Containers as files; one clock for all logs, a second per chunk."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._seconds = count(1)

    def container(self, service: str, number: int = 1, **fields: object) -> ContainerState:
        state = ContainerState(
            id=f"{service}{number}",
            name=f"demo-{service}-{number}",
            project="demo",
            service=service,
            number=number,
            image="app",
            image_id="app",
            config_hash="",
            command=(),
            created_ns=1,
            **{"status": Status.RUNNING, **fields},  # type: ignore[arg-type]
        )
        os.makedirs(self.layout.container("demo", state.id), exist_ok=True)
        path = self.layout.state_json("demo", state.id)
        write_atomically(path, dump_state(state), durable=False)
        return state

    def write(self, state: ContainerState, text: bytes) -> None:
        directory = self.layout.log_dir("demo", state.id)
        writer = LogWriter(directory, Rotation(), lambda: next(self._seconds) * 10**9)
        writer.write(text, 1)
        writer.close()


@pytest.fixture
def demo(tmp_path: Path) -> Project:
    return Project(Layout(str(tmp_path / "data"), str(tmp_path / "run")))


def shown(events: Iterable[LogEvent]) -> list[str]:
    return [
        f"{event.label}: {event.line.text.decode().strip()}"
        if event.line is not None
        else f"{event.label} exited with code {event.container.exit_code}"
        for event in events
    ]


def test_lines_of_several_containers_are_merged_by_time(demo: Project) -> None:
    web, db = demo.container("web"), demo.container("db")
    demo.write(web, b"one\n")
    demo.write(db, b"two\n")
    demo.write(web, b"three\n")
    lines = shown(read_logs(demo.layout, Target("demo"), LogOptions()))
    assert lines == ["web-1: one", "db-1: two", "web-1: three"]


def test_one_service_and_one_replica(demo: Project) -> None:
    for number in (1, 2):
        demo.write(demo.container("web", number), b"line\n")
    demo.write(demo.container("db"), b"other\n")
    target = Target("demo", ("web",))
    assert shown(read_logs(demo.layout, target, LogOptions())) == ["web-1: line", "web-2: line"]
    assert shown(read_logs(demo.layout, target, LogOptions(number=2))) == ["web-2: line"]


def test_tail_counts_for_each_container(demo: Project) -> None:
    for name in ("web", "db"):
        demo.write(demo.container(name), b"1\n2\n3\n")
    lines = shown(read_logs(demo.layout, Target("demo"), LogOptions(span=Span(tail=1))))
    assert sorted(lines) == ["db-1: 3", "web-1: 3"]


def test_unknown_service_is_not_found(demo: Project) -> None:
    demo.container("web")
    with pytest.raises(NotFound, match='no such service: "wbe"'):
        read_logs(demo.layout, Target("demo", ("wbe",)), LogOptions())


def test_following_ends_with_the_last_container(demo: Project) -> None:
    web = demo.container("web", status=Status.EXITED)
    demo.write(web, b"last words")
    events = read_logs(demo.layout, Target("demo"), LogOptions(follow=True))
    assert shown(events) == ["web-1: last words"]


def follower(demo: Project, *states: ContainerState) -> Follower:
    made = Follower(demo.layout, "demo", lambda container: container.service != "secret")
    assert shown(made.begin_at_end(states)) == []
    return made


def test_new_lines_come_as_they_are_written(demo: Project) -> None:
    web = demo.container("web")
    demo.write(web, b"before\n")
    following = follower(demo, web)
    demo.write(web, b"after\n")
    assert shown(following.wait(5.0)) == ["web-1: after"]
    following.close()


def test_end_comes_after_the_last_line_even_an_unfinished_one(demo: Project) -> None:
    web = demo.container("web")
    following = follower(demo, web)
    demo.write(web, b"bye\nunfinished")
    demo.container("web", status=Status.EXITED, exit_code=3, finished_ns=5)
    lines = shown(following.look())
    assert lines == ["web-1: bye", "web-1: unfinished", "web-1 exited with code 3"]
    assert not following.has_running()
    assert shown(following.look()) == []
    following.close()


def ended_process() -> int:
    """The pid of a process that has been waited for."""
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


def test_an_end_that_is_not_written_down_yet_is_not_told(demo: Project) -> None:
    """The supervisor has still to read what the process has left in the pipe."""
    pid = ended_process()
    running = demo.container("web", pid=pid, start_ticks=1)
    logs = follower(demo, running)
    assert shown(logs.look()) == []
    assert logs.has_running()
    demo.write(running, b"last words")
    demo.container("web", status=Status.EXITED, exit_code=3)
    assert shown(logs.look()) == ["web-1: last words", "web-1 exited with code 3"]
    logs.close()


def test_one_that_has_just_ended_is_followed_until_that_is_written_down(demo: Project) -> None:
    running = demo.container("web", pid=ended_process(), start_ticks=1)
    (state,) = read_states(demo.layout, "demo")
    assert state.status == Status.EXITED
    logs = follower(demo, state)
    assert logs.has_running()
    demo.write(running, b"last words")
    demo.container("web", status=Status.EXITED)
    assert shown(logs.look()) == ["web-1: last words", "web-1 exited with code 0"]
    logs.close()


def test_an_end_that_nobody_writes_down_is_told_in_the_end(
    demo: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestra.ops.logs._WRITTEN_WITHIN_S", 0.0)
    logs = follower(demo, demo.container("web", pid=ended_process(), start_ticks=1))
    told = list(shown(logs.look()))
    while not told:
        told += shown(logs.look())
    assert told == ["web-1 exited with code 255"]
    logs.close()


def test_container_that_restarted_at_once_is_told_to_have_ended(demo: Project) -> None:
    web = demo.container("web")
    following = follower(demo, web)
    demo.container("web", finished_ns=5, exit_code=1)
    assert shown(following.look()) == ["web-1 exited with code 1"]
    assert following.has_running()
    following.close()


def test_new_container_is_followed_and_unwanted_one_is_not(demo: Project) -> None:
    following = follower(demo, demo.container("web"))
    demo.write(demo.container("db"), b"hello\n")
    demo.write(demo.container("secret"), b"psst\n")
    assert shown(following.wait(5.0)) == ["db-1: hello"]
    following.close()


def test_end_of_a_container_that_came_and_went_unseen_is_told(demo: Project) -> None:
    following = follower(demo, demo.container("web"))
    once = demo.container("once", status=Status.EXITED, finished_ns=7, exit_code=2)
    demo.write(once, b"done\n")
    assert shown(following.wait(5.0)) == ["once-1: done", "once-1 exited with code 2"]
    following.close()


def test_container_without_a_state_yet_is_followed_when_it_has_one(demo: Project) -> None:
    web = demo.container("web")
    following = follower(demo, web)
    os.makedirs(demo.layout.container("demo", "db1"))
    assert shown(following.wait(5.0)) == []
    demo.write(demo.container("db"), b"hello\n")
    assert shown(following.wait(5.0)) == ["db-1: hello"]
    following.close()


def test_removed_container_is_forgotten(demo: Project) -> None:
    web = demo.container("web")
    following = follower(demo, web)
    os.unlink(demo.layout.state_json("demo", web.id))
    assert shown(following.look()) == []
    assert not following.has_running()
    following.close()
