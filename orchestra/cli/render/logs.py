"""Log lines with the coloured prefixes of `docker compose`: `web-1  | listening`."""

from __future__ import annotations

import sys
import time

from orchestra.cli.render.duration import rfc3339_nano
from orchestra.cli.render.text import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.ops.logs import LogEvent

RAINBOW = ("36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1")
"""Cyan, yellow, green, magenta, blue, then the same in bold: in the order of appearance."""
ASIDE = "92"


class LogPrinter:
    """Writes lines of several containers to stdout and, when *apart*, those of stderr to stderr.

    The prefix column grows when a longer name appears; what has been written stays as it is.
    """

    def __init__(
        self, *, colour: bool, prefix: bool, timestamps: bool, apart: bool = False
    ) -> None:
        self._colour = colour
        self._prefix = prefix
        self._timestamps = timestamps
        self._colours: dict[str, str] = {}
        self._heads: dict[str, bytes] = {}
        self._out = sys.stdout.buffer
        self._streams = {1: self._out, 2: sys.stderr.buffer if apart else self._out}
        self._last = self._out

    def register(self, names: Iterable[str]) -> None:
        """Give *names* their colours and widen the column for them."""
        for name in names:
            self._colours.setdefault(name, RAINBOW[len(self._colours) % len(RAINBOW)])
        width = max((len(name) for name in self._colours), default=0) + 1
        self._heads = {name: self._head(name, width) for name in self._colours}

    def line(self, name: str, text: bytes, *, time_ns: int, stream: int) -> None:
        """One line of *name* from its *stream*, 1 or 2. Without its line feed it gets one."""
        if name not in self._heads:
            self.register((name,))
        stamp = f"{rfc3339_nano(time_ns)} ".encode() if self._timestamps else b""
        end = b"" if text.endswith(b"\n") else b"\n"
        self._put(stream, self._heads[name] + stamp + text + end)

    def blocks(self, name: str, blocks: Iterable[tuple[int, bytes]]) -> None:
        """All that *name* wrote, without times: (stream, bytes), lines cut anywhere."""
        head = self._heads[name]
        rest = dict.fromkeys(self._streams, b"")
        for stream, content in blocks:
            text = rest[stream] + content
            cut = text.rfind(b"\n") + 1
            rest[stream] = text[cut:]
            if cut:
                self._put(stream, head + text[: cut - 1].replace(b"\n", b"\n" + head) + b"\n")
        for stream, text in rest.items():
            if text:
                self._put(stream, head + text + b"\n")

    def remark(self, name: str, text: str) -> None:
        """What orchestra itself has to say about *name*, as "web-1 exited with code 0"."""
        if name not in self._colours:
            self.register((name,))
        message = f"{harmless(name)} {text}"
        if self._colour:
            message = f"\x1b[{self._colours[name]}m{message}\x1b[0m"
        self._last.flush()
        self._out.write(message.encode(errors="backslashreplace") + b"\n")
        self._out.flush()

    def aside(self, text: str) -> None:
        """What is said of no container, as by a watch: indented beside the prefixes."""
        head = " " * (max((len(name) for name in self._colours), default=0) + 1) + " ⦿ "
        if not self._prefix:
            head = ""
        elif self._colour:
            head = f"\x1b[{ASIDE}m{head}\x1b[0m"
        stamp = f"{rfc3339_nano(time.time_ns())} " if self._timestamps else ""
        self._last.flush()
        self._out.write(f"{head}{stamp}{harmless(text)}\n".encode(errors="backslashreplace"))
        self._out.flush()

    def flush(self) -> None:
        self._last.flush()

    def _put(self, stream: int, text: bytes) -> None:
        out = self._streams[stream]
        if out is not self._last:  # on one terminal the order must be kept
            self._last.flush()
            self._last = out
        out.write(text)

    def _head(self, name: str, width: int) -> bytes:
        if not self._prefix:
            return b""
        text = f"{harmless(name):<{width}} | "
        if self._colour:
            text = f"\x1b[{self._colours[name]}m{text}\x1b[0m"
        return text.encode(errors="backslashreplace")


def show_event(printer: LogPrinter, event: LogEvent) -> None:
    """A line of a container, or that it has ended."""
    if event.line is None:
        printer.remark(event.label, f"exited with code {event.container.exit_code}")
        return
    time_ns, stream, text = event.line
    printer.line(event.label, text, time_ns=time_ns, stream=stream)
