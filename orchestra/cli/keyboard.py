"""Single keys from the terminal, which is as it was whenever this process does not have it.

Ctrl-C, Ctrl-Z and the quit key stay signals: the first is the caller's, the other two give the
terminal back first. A job in the background neither reads keys nor changes the terminal.
"""

from __future__ import annotations

import os
import signal
import termios
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

STDIN = 0


class Keyboard:
    """From `open` to `close`; *leave* and *enter* are told when the terminal goes and comes."""

    def __init__(self, *, leave: Callable[[], None], enter: Callable[[], None]) -> None:
        self._leave = leave
        self._enter = enter
        self._before: list[object] | None = None
        self._handlers: list[tuple[int, object]] = []
        self._has_terminal = False

    def open(self) -> None:
        self._before = termios.tcgetattr(STDIN)
        for number, handler in (
            (signal.SIGTSTP, self._on_leaving),
            (signal.SIGQUIT, self._on_leaving),
            (signal.SIGCONT, self._on_continued),
        ):
            self._handlers.append((number, signal.signal(number, handler)))
        self._take()

    def close(self) -> None:
        if self._before is None:
            return
        self._give_back()
        for number, handler in self._handlers:
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._handlers.clear()
        self._before = None

    def filenos(self) -> tuple[int, ...]:
        """Readable when there is a key."""
        return (STDIN,) if self._has_terminal else ()

    def read(self) -> str:
        """The keys that were pressed; the terminal's end is no key."""
        content = os.read(STDIN, 64)
        if not content:
            self._has_terminal = False
        return content.decode(errors="ignore")

    def _take(self) -> None:
        """Keys one by one and unechoed, if we are the terminal's foreground job."""
        if not is_foreground():
            return
        tty.setcbreak(STDIN, termios.TCSADRAIN)
        self._has_terminal = True
        self._enter()

    def _give_back(self) -> None:
        if not self._has_terminal or self._before is None:
            return
        self._has_terminal = False
        self._leave()
        if is_foreground():
            termios.tcsetattr(STDIN, termios.TCSADRAIN, self._before)  # type: ignore[arg-type]

    def _on_leaving(self, number: int, _frame: FrameType | None) -> None:
        """Stop or quit, as the signal says, with the terminal as it was."""
        self._give_back()
        ours = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, ours)  # continued

    def _on_continued(self, _number: int, _frame: FrameType | None) -> None:
        if not self._has_terminal:
            self._take()


def is_foreground() -> bool:
    """Is this process in the foreground job of the terminal on stdin? tcgetpgrp(3)"""
    try:
        return os.tcgetpgrp(STDIN) == os.getpgrp()
    except OSError:
        return False
