"""Threads that work on one thing, and stop together at the first failure or at Ctrl-C."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeVar

from orchestra.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
E = TypeVar("E")


class Breakable(Protocol):
    """Something that another thread may be waiting for."""

    def abort(self) -> None: ...


class Stop:
    """Aborted once; ends what all threads do, also those that wait for a silent registry."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._breakable: set[Breakable] = set()

    def abort(self) -> None:
        with self._lock:
            self._event.set()
            for each in self._breakable:
                each.abort()

    def check(self) -> None:
        """Raises Interrupted after `abort`."""
        if self._event.is_set():
            raise Interrupted("the download was stopped")

    def wait(self, seconds: float) -> None:
        """Sleep, unless stopped; raises Interrupted then."""
        self._event.wait(seconds)
        self.check()

    @contextmanager
    def breaking(self, what: Breakable) -> Iterator[None]:
        """While it is entered, `abort` breaks off *what*: a reply, or the Stop of a part."""
        with self._lock:
            self._breakable.add(what)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._breakable.discard(what)


@contextmanager
def joined(pool: ThreadPoolExecutor, stop: Stop) -> Iterator[ThreadPoolExecutor]:
    """*pool*, whose threads have ended when the block has; a failure in it aborts *stop*.

    At Ctrl-C, and when a generator is closed, nobody is waited for: a thread may be in a connection
    that nothing breaks off, and the process is about to end.
    """
    try:
        yield pool
    except BaseException as exc:
        stop.abort()
        pool.shutdown(wait=isinstance(exc, Exception), cancel_futures=True)
        raise
    pool.shutdown()


def run_together(jobs: Sequence[Callable[[], None]], *, threads: int, stop: Stop) -> None:
    """Run *jobs*, in that order as far as there are *threads*, which have ended afterwards.

    The first failure aborts *stop* and is raised.
    """
    with joined(ThreadPoolExecutor(max(1, threads), "registry"), stop) as pool:
        for future in as_completed([pool.submit(job) for job in jobs]):
            future.result()


def watched(work: Callable[[Callable[[E], None]], T], watch: Callable[[E], None], stop: Stop) -> T:
    """What *work* returns; it runs in another thread, and *watch* hears in this one what it tells.

    A failure of *watch*, or Ctrl-C, aborts *stop*. The thread has ended afterwards, as in `joined`.
    """
    events: SimpleQueue[E | None] = SimpleQueue()

    def run() -> T:
        try:
            return work(events.put)
        finally:
            events.put(None)

    with joined(ThreadPoolExecutor(1, "registry"), stop) as pool:
        future = pool.submit(run)
        while (event := events.get()) is not None:
            watch(event)
    return future.result()
