"""The project lock: one at a time, the waiting one says for whom, a dead holder holds nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.ops.lock import project_lock

if TYPE_CHECKING:
    from orchestra.plan.events import Progress
    from tests.unit.ops.conftest import MemoryHost


def in_child(action: object) -> int:
    """Fork and run *action*; the pid."""
    pid = os.fork()
    if pid == 0:
        try:
            action()  # type: ignore[operator]
        finally:
            os._exit(0)
    return pid


def test_second_command_waits_and_tells_for_whom(host: MemoryHost) -> None:
    reader, writer = os.pipe()

    def second() -> None:
        def tell(event: Progress) -> None:
            os.write(writer, event.text.encode())

        with project_lock(host.layout, "demo", command="down", report=tell):
            os.write(writer, b"|locked")

    with project_lock(host.layout, "demo", command="up -d", report=host.events.append):
        child = in_child(second)
        first = os.read(reader, 1000).decode()
    os.waitpid(child, 0)
    assert first == f'Waiting for `up -d` (pid {os.getpid()}) to finish with "demo"'
    assert os.read(reader, 1000) == b"|locked"
    assert host.events == []
    os.close(reader)
    os.close(writer)


def test_lock_of_a_process_that_died_is_free(host: MemoryHost) -> None:
    def hold_and_die() -> None:
        with project_lock(host.layout, "demo", command="up", report=host.events.append):
            os.kill(os.getpid(), 9)

    os.waitpid(in_child(hold_and_die), 0)
    with project_lock(host.layout, "demo", command="down", report=host.events.append):
        pass
    assert host.events == []


def test_child_of_the_holder_does_not_hold_it(host: MemoryHost) -> None:
    """The supervisor is forked while the lock is held, and outlives the command."""
    reader, writer = os.pipe()
    with project_lock(host.layout, "demo", command="up", report=host.events.append):
        child = in_child(lambda: os.read(reader, 1))

    def other() -> None:
        with project_lock(host.layout, "demo", command="down", report=host.events.append):
            os._exit(7)

    _, status = os.waitpid(in_child(other), 0)
    assert os.waitstatus_to_exitcode(status) == 7
    os.write(writer, b"!")
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)


def test_other_projects_are_not_locked(host: MemoryHost) -> None:
    with (
        project_lock(host.layout, "one", command="up", report=host.events.append),
        project_lock(host.layout, "two", command="up", report=host.events.append),
    ):
        assert host.events == []
