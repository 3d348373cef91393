from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from orchestra.supervisor.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def test_reader_is_called_when_readable(loop: Loop, pipe: tuple[int, int]) -> None:
    seen: list[bytes] = []
    loop.add_reader(pipe[0], lambda: seen.append(os.read(pipe[0], 10)))
    loop.run_once(0)
    assert seen == []
    os.write(pipe[1], b"x")
    loop.run_once(1)
    assert seen == [b"x"]


def test_removed_reader_is_not_called(loop: Loop, pipe: tuple[int, int]) -> None:
    loop.add_reader(pipe[0], lambda: pytest.fail("called"))
    os.write(pipe[1], b"x")
    loop.remove_reader(pipe[0])
    loop.remove_reader(pipe[0])
    loop.run_once(0)


def test_reader_removed_by_another_in_the_same_round_is_not_called(loop: Loop) -> None:
    pairs = [os.pipe(), os.pipe()]
    called: list[int] = []

    def read(mine: int, other: int) -> None:
        called.append(mine)
        loop.remove_reader(other)

    first, second = pairs[0][0], pairs[1][0]
    loop.add_reader(first, lambda: read(first, second))
    loop.add_reader(second, lambda: read(second, first))
    for _, write_end in pairs:
        os.write(write_end, b"x")
    loop.run_once(1)
    assert len(called) == 1
    for pair in pairs:
        for fd in pair:
            os.close(fd)


def test_number_reused_in_the_same_round_is_another_fd(loop: Loop) -> None:
    """Closing an fd whose event is pending, and opening another under its number."""
    first, second, fresh = os.pipe(), os.pipe(), os.pipe()
    called: list[str] = []

    def replace(mine: int, other: int) -> None:
        called.append("replaced")
        loop.remove_reader(mine)
        loop.remove_reader(other)
        os.dup2(fresh[0], other)
        loop.add_reader(other, lambda: called.append("fresh"))

    loop.add_reader(first[0], lambda: replace(first[0], second[0]))
    loop.add_reader(second[0], lambda: replace(second[0], first[0]))
    for pair in (first, second):
        os.write(pair[1], b"x")
    loop.run_once(1)
    assert called == ["replaced"]
    os.write(fresh[1], b"x")
    loop.run_once(1)
    assert called == ["replaced", "fresh"]
    for pair in (first, second, fresh):
        for fd in pair:
            os.close(fd)


def test_reader_and_writer_of_one_fd_are_apart(loop: Loop, pipe: tuple[int, int]) -> None:
    called: list[str] = []
    loop.add_writer(pipe[1], lambda: called.append("write"))
    loop.run_once(1)
    loop.remove_writer(pipe[1])
    loop.run_once(0)
    assert called == ["write"]


def test_timers_fire_in_order_and_not_when_cancelled() -> None:
    now = [0.0]
    loop = Loop(clock=lambda: now[0])
    fired: list[str] = []
    loop.call_later(2, lambda: fired.append("late"))
    loop.call_later(1, lambda: fired.append("early"))
    loop.call_later(1.5, lambda: fired.append("never")).cancel()
    loop.run_once(0)
    assert fired == []
    now[0] = 3.0
    loop.run_once(0)
    assert fired == ["early", "late"]
    loop.close()


def test_timer_set_by_a_timer_waits_for_its_time() -> None:
    now = [10.0]
    loop = Loop(clock=lambda: now[0])
    fired: list[int] = []

    def again() -> None:
        fired.append(1)
        loop.call_later(1, again)

    loop.call_later(0, again)
    loop.run_once(0)
    loop.run_once(0)
    assert fired == [1]
    loop.close()


def test_signal_runs_its_callback_in_the_loop(loop: Loop) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    called: list[int] = []
    loop.on_signal(signal.SIGUSR1, lambda: called.append(1))
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        loop.run_once(1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert called == [1]
