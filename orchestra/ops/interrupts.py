"""Ctrl-C as something to wait for: SIGINT and SIGTERM counted instead of raising in the middle."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType


class Interrupts:
    """While entered, *count* is the number of SIGINTs and SIGTERMs that have come."""

    def __init__(self) -> None:
        self.count = 0
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self) -> Interrupts:
        self._before = [
            (number, signal.signal(number, self._on_signal))
            for number in (signal.SIGINT, signal.SIGTERM)
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        """Readable after a signal."""
        return self._reader

    def wait(self, *others: int, timeout_s: float | None = None) -> frozenset[int]:
        """Wait for a signal, or that one of the descriptors *others* is readable, and say which.

        Empty after *timeout_s*.
        """
        ready, _, _ = select.select([self._reader, *others], [], [], timeout_s)
        if self._reader in ready:
            os.read(self._reader, 64)
        return frozenset(ready)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
        os.write(self._writer, b"!")
