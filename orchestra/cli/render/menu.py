"""The line of keys below the logs of a foreground `up`: drawn when it rests, gone before output."""

from __future__ import annotations

import os

from orchestra.cli.context import terminal_width
from orchestra.cli.render.text import DIM, RESET, display_width

KEY = "\x1b[1;7m"
_GAP = "   "
_CLEAR = "\r\x1b[J"
_STDOUT = 1


def menu_line(*, watching: bool, columns: int, colour: bool) -> str:
    """The keys and what they do, as many as fit into one line of the terminal."""
    line, width = "", 0
    for key, text in (
        ("w", "Disable Watch" if watching else "Enable Watch"),
        ("d", "Detach"),
        ("q", "Stop"),
    ):
        gap = _GAP if line else ""
        width += display_width(f"{gap}{key} {text}")
        if width >= columns:
            break
        line += gap + (f"{KEY}{key}{RESET} {DIM}{text}{RESET}" if colour else f"{key} {text}")
    return line


class Menu:
    """In the line of the cursor, which waits at that line's begin.

    Written past sys.stdout, which has been flushed whenever it is drawn: signal handlers may call.
    """

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._is_drawn = False
        self.is_enabled = False
        self.watching = False

    def draw(self) -> None:
        if not self._is_drawn and self.is_enabled:
            self._is_drawn = True
            self._put(self._line())

    def clear(self) -> None:
        if self._is_drawn:
            self._is_drawn = False
            self._put(_CLEAR)

    def redraw(self) -> None:
        """The terminal has another size."""
        if self._is_drawn:
            self._put(_CLEAR + self._line())

    def _line(self) -> str:
        columns = terminal_width(_STDOUT)
        return menu_line(watching=self.watching, columns=columns, colour=self._colour) + "\r"

    def _put(self, text: str) -> None:
        os.write(_STDOUT, text.encode())
