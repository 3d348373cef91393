"""Threads that stop together."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import Interrupted
from orchestra.registry.together import Stop, run_together, watched

if TYPE_CHECKING:
    from collections.abc import Callable


class Oops(Exception):
    pass


def fail() -> None:
    raise Oops


def test_all_jobs_are_done() -> None:
    done: list[int] = []
    run_together([lambda n=n: done.append(n) for n in range(9)], threads=3, stop=Stop())  # type: ignore[misc]
    assert sorted(done) == list(range(9))


def test_the_first_failure_stops_those_that_wait_and_is_raised() -> None:
    stop, ended = Stop(), threading.Event()

    def wait() -> None:
        try:
            stop.wait(60)
        except Interrupted:
            ended.set()
            raise

    with pytest.raises(Oops):
        run_together([wait, fail], threads=2, stop=stop)
    assert ended.is_set()


def test_a_stop_breaks_off_what_is_registered_with_it() -> None:
    outer, inner = Stop(), Stop()
    with outer.breaking(inner):
        inner.check()
        outer.abort()
        with pytest.raises(Interrupted):
            inner.check()
    with pytest.raises(Interrupted), outer.breaking(Stop()):
        pass


def test_events_are_heard_in_the_thread_that_asked() -> None:
    heard: list[tuple[int, bool]] = []
    here = threading.current_thread()

    def work(tell: Callable[[int], None]) -> str:
        assert threading.current_thread() is not here
        tell(1)
        tell(2)
        return "done"

    def watch(event: int) -> None:
        heard.append((event, threading.current_thread() is here))

    assert watched(work, watch, Stop()) == "done"
    assert heard == [(1, True), (2, True)]


def test_a_failure_of_who_watches_ends_the_work() -> None:
    stop = Stop()

    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        stop.wait(60)

    def watch(_: int) -> None:
        raise Oops

    with pytest.raises(Oops):
        watched(work, watch, stop)


def test_a_failure_of_the_work_is_raised() -> None:
    def work(tell: Callable[[int], None]) -> None:
        tell(1)
        raise Oops

    with pytest.raises(Oops):
        watched(work, lambda _: None, Stop())
