"""Copying bytes between descriptors, several ways at once, without one way blocking another."""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 64 * 1024
_READY = select.POLLIN | select.POLLOUT | select.POLLHUP | select.POLLERR | select.POLLNVAL


class _Route:
    """One way: what *source* gives goes to *sink*; *pending* is what the sink did not take yet."""

    __slots__ = ("is_output", "owned", "passing", "pending", "sink", "source")

    def __init__(
        self,
        source: int,
        sink: int,
        owned: tuple[int, ...],
        *,
        is_output: bool,
        passing: Callable[[bytes], bytes] | None,
    ) -> None:
        self.source = source
        self.sink = sink
        self.owned = owned  # closed at the end
        self.is_output = is_output
        self.passing = passing
        self.pending = memoryview(b"")


class Pump:
    """A set of routes in one poll(2). A sink that is non-blocking only delays its own source."""

    def __init__(self) -> None:
        self._poller = select.poll()
        self._sources: dict[int, _Route] = {}
        self._full_sinks: dict[int, _Route] = {}

    def route(
        self,
        source: int,
        sink: int,
        *,
        is_output: bool,
        owned: tuple[int, ...] = (),
        passing: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Copy *source* to *sink* until its end, then close *owned*.

        Outputs are what `drain` empties. Two routes share no descriptor. Only what *passing* makes
        of each piece goes on.
        """
        self._sources[source] = _Route(source, sink, owned, is_output=is_output, passing=passing)
        self._poller.register(source, select.POLLIN)

    def watch(self, fd: int, *, writable: bool = False) -> None:
        """Let `step` tell when *fd* is readable (or *writable*); nothing is copied from it."""
        self._poller.register(fd, select.POLLOUT if writable else select.POLLIN)

    def unwatch(self, fd: int) -> None:
        """Forget *fd*, which is watched."""
        self._poller.unregister(fd)

    def step(self) -> tuple[int, ...]:
        """Wait, copy what can be copied, and return which watched descriptors are ready."""
        watched: list[int] = []
        for fd, mask in self._poller.poll():
            if fd in self._full_sinks:
                self._flush(self._full_sinks[fd])
            elif fd in self._sources:
                self._copy(self._sources[fd])
            elif mask & _READY:
                watched.append(fd)
        return tuple(watched)

    def drain(self) -> None:
        """Copy what the outputs hold now; a process left behind may keep them open for ever."""
        routes = [*self._full_sinks.values(), *self._sources.values()]
        for route in routes:
            if not route.is_output:
                continue
            os.set_blocking(route.sink, True)
            self._flush(route)
            while route.source in self._sources and _has_data(route.source):
                self._copy(route)

    def close(self) -> None:
        """Close what the routes that have not ended own."""
        for route in (*self._full_sinks.values(), *self._sources.values()):
            _close_all(route)

    def _copy(self, route: _Route) -> None:
        try:
            chunk = os.read(route.source, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last user of the terminal has gone
            chunk = b""
        if not chunk:
            self._end(route)
            return
        route.pending = memoryview(chunk if route.passing is None else route.passing(chunk))
        self._flush(route)

    def _flush(self, route: _Route) -> None:
        try:
            while route.pending:
                route.pending = route.pending[os.write(route.sink, route.pending) :]
        except BlockingIOError:
            if route.sink not in self._full_sinks:
                self._full_sinks[route.sink] = route
                self._poller.register(route.sink, select.POLLOUT)
                self._poller.unregister(route.source)
                del self._sources[route.source]
            return
        except OSError:  # EPIPE, EIO: nobody reads any more
            self._end(route)
            return
        if self._full_sinks.pop(route.sink, None) is not None:
            self._poller.unregister(route.sink)
            self._sources[route.source] = route
            self._poller.register(route.source, select.POLLIN)

    def _end(self, route: _Route) -> None:
        if self._full_sinks.pop(route.sink, None) is not None:
            self._poller.unregister(route.sink)
        if self._sources.pop(route.source, None) is not None:
            self._poller.unregister(route.source)
        _close_all(route)


def _has_data(fd: int) -> bool:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(0))


def _close_all(route: _Route) -> None:
    for fd in route.owned:
        with contextlib.suppress(OSError):
            os.close(fd)
    route.owned = ()
