"""Signals as something to wait for: a descriptor, beside others in one poll(2)."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What is meant for the command in the container, not for us."""


class SignalPipe:
    """While entered, PASSED_ON and SIGWINCH do nothing but make `fileno` readable."""

    def __init__(self) -> None:
        self._reader = -1
        self._undo = ExitStack()

    def __enter__(self) -> SignalPipe:
        self._reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._undo.callback(os.close, self._reader)
        self._undo.callback(os.close, writer)
        self._undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer))
        for number in (*PASSED_ON, signal.SIGWINCH):
            self._undo.callback(signal.signal, number, signal.signal(number, _ignore))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def fileno(self) -> int:
        """Readable when a signal has come."""
        return self._reader

    def read(self) -> bytes:
        """The numbers of those that have come; others that the process handles may be among them.

        Empty when none has.
        """
        try:
            return os.read(self._reader, 64)
        except BlockingIOError:
            return b""


def _ignore(_number: int, _frame: object) -> None:
    """The wake-up descriptor already told."""
