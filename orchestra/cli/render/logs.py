"""Log lines with the coloured prefixes of `docker compose`: `web-1  | listening`."""

from __future__ import annotations

import sys

from orchestra.cli.render.duration import rfc3339_nano
from orchestra.cli.render.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RAINBOW = ("36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1")
"""Cyan, yellow, green, magenta, blue, then the same in bold: in the order of appearance."""


class LogPrinter:
    """Writes lines of several containers to stdout and stderr.

    The prefix column grows when a longer name appears; what has been written stays as it is.
    """

    def __init__(self, *, colour: bool, prefix: bool, timestamps: bool) -> None:
        self._colour = colour
        self._prefix = prefix
        self._timestamps = timestamps
        self._colours: dict[str, str] = {}
        self._heads: dict[str, bytes] = {}
        self._out = sys.stdout.buffer

    def register(self, names: Iterable[str]) -> None:
        """Give *names* their colours and widen the column for them."""
        for name in names:
            self._colours.setdefault(name, RAINBOW[len(self._colours) % len(RAINBOW)])
        width = max((len(name) for name in self._colours), default=0) + 1
        self._heads = {name: self._head(name, width) for name in self._colours}

    def line(self, name: str, text: bytes, *, time_ns: int = 0) -> None:
        """One line of *name*, which ends without a line feed."""
        if name not in self._heads:
            self.register((name,))
        stamp = f"{rfc3339_nano(time_ns)} ".encode() if self._timestamps else b""
        self._out.write(self._heads[name] + stamp + text + b"\n")

    def remark(self, name: str, text: str) -> None:
        """What orchestra itself has to say about *name*, as "web-1 exited with code 0"."""
        if name not in self._colours:
            self.register((name,))
        message = f"{harmless(name)} {text}"
        if self._colour:
            message = f"\x1b[{self._colours[name]}m{message}\x1b[0m"
        self._out.write(message.encode(errors="backslashreplace") + b"\n")
        self.flush()

    def flush(self) -> None:
        self._out.flush()

    def _head(self, name: str, width: int) -> bytes:
        if not self._prefix:
            return b""
        text = f"{harmless(name):<{width}} | "
        if self._colour:
            text = f"\x1b[{self._colours[name]}m{text}\x1b[0m"
        return text.encode(errors="backslashreplace")
