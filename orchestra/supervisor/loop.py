"""The supervisor's event loop: readable and writable fds, timers, signals; one thread, no polling.

It satisfies `network.base.EventLoop`. A callback that raises is a bug in its owner: the exception
leaves `run_once`, and the process root logs it and lets the reaper start anew.
"""

from __future__ import annotations

import heapq
import os
import selectors
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class LoopTimer:
    """A callback that is due at *when_s* on the monotonic clock."""

    __slots__ = ("callback", "when_s")

    def __init__(self, when_s: float, callback: Callable[[], None]) -> None:
        self.when_s = when_s
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Do not call it any more; may be called at any time."""
        self.callback = None

    def __lt__(self, other: LoopTimer) -> bool:
        return self.when_s < other.when_s


class Loop:
    """Watches fds and runs timers. Close it, or fork and exec: the epoll fd is close-on-exec."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._timers: list[LoopTimer] = []
        self._signals: dict[int, Callable[[], None]] = {}
        self._wakeup: tuple[int, int] | None = None

    # -- fds --------------------------------------------------------------------------------------
    def add_reader(self, fd: int, callback: Callable[[], None]) -> None:
        """Call *callback* whenever *fd* is readable or has hung up; replaces an earlier one."""
        self._set(fd, selectors.EVENT_READ, callback)

    def remove_reader(self, fd: int) -> None:
        """Accepts an fd that is not watched."""
        self._set(fd, selectors.EVENT_READ, None)

    def add_writer(self, fd: int, callback: Callable[[], None]) -> None:
        self._set(fd, selectors.EVENT_WRITE, callback)

    def remove_writer(self, fd: int) -> None:
        self._set(fd, selectors.EVENT_WRITE, None)

    def _set(self, fd: int, event: int, callback: Callable[[], None] | None) -> None:
        key = self._selector.get_map().get(fd)
        # one dict as long as the fd is registered: run_once tells by it that a number was reused
        callbacks: dict[int, Callable[[], None]] = key.data if key is not None else {}
        if callback is None:
            callbacks.pop(event, None)
        else:
            callbacks[event] = callback
        mask = sum(callbacks)
        if key is None:
            if mask:
                self._selector.register(fd, mask, callbacks)
        elif mask:
            self._selector.modify(fd, mask, callbacks)
        else:
            self._selector.unregister(fd)

    # -- time and signals -------------------------------------------------------------------------
    def call_later(self, delay_s: float, callback: Callable[[], None]) -> LoopTimer:
        timer = LoopTimer(self._clock() + max(0.0, delay_s), callback)
        heapq.heappush(self._timers, timer)
        return timer

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        """Run *callback* in the loop when signal *number* arrives; main thread only."""
        if self._wakeup is None:
            read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            self._wakeup = (read_end, write_end)
            signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
            self.add_reader(read_end, self._signalled)
        self._signals[number] = callback
        signal.signal(number, _caught)

    def _signalled(self) -> None:
        if self._wakeup is None:
            return
        for number in os.read(self._wakeup[0], 256):
            callback = self._signals.get(number)
            if callback is not None:
                callback()

    # -- running ----------------------------------------------------------------------------------
    def run_once(self, timeout_s: float | None = None) -> None:
        """Wait for the next event (at most *timeout_s*), then run what is due."""
        while self._timers and self._timers[0].callback is None:
            heapq.heappop(self._timers)
        if self._timers:
            until_s = max(0.0, self._timers[0].when_s - self._clock())
            timeout_s = until_s if timeout_s is None else min(timeout_s, until_s)
        for key, mask in self._selector.select(timeout_s):
            for event in (selectors.EVENT_READ, selectors.EVENT_WRITE):
                # an earlier callback of this round may have removed it, and reused the number
                current = self._selector.get_map().get(key.fd)
                if mask & event and current is not None and current.data is key.data:
                    callback = current.data.get(event)
                    if callback is not None:
                        callback()
        now_s = self._clock()
        while self._timers and self._timers[0].when_s <= now_s:
            due = heapq.heappop(self._timers).callback
            if due is not None:
                due()

    def close(self) -> None:
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for fd in self._wakeup:
                os.close(fd)
            self._wakeup = None
        self._selector.close()


def _caught(_number: int, _frame: object) -> None:
    """The wake-up fd has carried the signal into the loop already."""
