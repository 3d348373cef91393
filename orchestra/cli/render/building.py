"""How a build is shown on stderr: lines as they come, or live on a terminal.

Plain lines are those of BuildKit (`#5 [web 2/4] RUN make`, `#5 0.2 output`, `#5 DONE 1.2s`), which
people and scripts know how to read.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestra.build.events import StepEvent, StepPhase
from orchestra.cli.context import is_terminal
from orchestra.cli.render.text import BLUE, BOLD, GREEN, RED, display_width, harmless, paint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.cli.context import Context

    Watch = Callable[[str, StepEvent], None]

_TAIL_LINES = 6
_REDRAW_S = 0.1


@contextmanager
def open_build_display(context: Context, mode: str, *, quietly: bool) -> Iterator[Watch]:
    """What takes the events of builds, with the name of the service that each is for.

    *mode* is "auto", "tty", "plain", "json", "rawjson" or "quiet". SIGTERM ends a build as Ctrl-C
    does meanwhile.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _open(context, mode, quietly=quietly) as watch:
            yield watch
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _open(context: Context, mode: str, *, quietly: bool) -> Iterator[Watch]:
    if mode == "auto":
        mode = "tty" if is_terminal(2) and context.options.ansi != "never" else "plain"
    if quietly or mode == "quiet":
        yield _quiet
    elif mode in ("json", "rawjson"):
        yield _as_json
    elif mode == "tty":
        live = LiveBuild(colour=context.colour_stderr, columns=_columns)
        try:
            yield live.watch
        finally:
            live.end()
    else:
        yield PlainBuild(sys.stderr.write).watch


def _columns() -> int:
    from orchestra.cli.context import terminal_width

    return terminal_width(2)


def _quiet(service: str, event: StepEvent) -> None:
    del service
    if event.phase is StepPhase.WARNING:
        sys.stderr.write(f"warning: {harmless(event.text)}\n")


def _as_json(service: str, event: StepEvent) -> None:
    if event.phase is StepPhase.OUTPUT and not event.text:
        return
    import json

    record = {
        "id": titled(service, event.title),
        "status": event.phase.value.capitalize(),
        "text": event.text,
        "seconds": round(event.seconds, 3),
    }
    sys.stderr.write(json.dumps({key: value for key, value in record.items() if value}) + "\n")
    sys.stderr.flush()


def titled(service: str, title: str) -> str:
    """`[web build 2/4] RUN make` from `[build 2/4] RUN make`."""
    if service and title.startswith("["):
        return f"[{service} {title[1:]}"
    return f"{service} {title}".strip() if service else title


class PlainBuild:
    """One line for each beginning, line of output and end."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._rest: dict[tuple[str, int], str] = {}
        self._numbers: dict[tuple[str, int], int] = {}

    def watch(self, service: str, event: StepEvent) -> None:
        key = (service, event.step)
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        if event.phase is StepPhase.WARNING:
            self._write(f"warning: {harmless(event.text)}\n")
        elif event.phase is StepPhase.STARTED:
            self._write(f"#{number} {harmless(titled(service, event.title))}\n")
        elif event.phase is StepPhase.OUTPUT:
            *lines, rest = (self._rest.get(key, "") + event.text).split("\n")
            self._rest[key] = rest
            for line in lines:
                self._line(number, event, line)
        else:
            if rest := self._rest.pop(key, ""):
                self._line(number, event, rest)
            self._write(f"#{number} {_END[event.phase]}{_took(event)}\n\n")

    def _line(self, number: int, event: StepEvent, line: str) -> None:
        text = harmless(line.rstrip("\r").rpartition("\r")[2])
        self._write(f"#{number} {event.seconds:.3f} {text}\n")


_END = {
    StepPhase.DONE: "DONE",
    StepPhase.CACHED: "CACHED",
    StepPhase.FAILED: "ERROR",
    StepPhase.CANCELLED: "CANCELED",
}
_SILENT = (StepPhase.CACHED, StepPhase.CANCELLED)


def _took(event: StepEvent) -> str:
    return "" if event.phase in _SILENT else f" {event.seconds:.1f}s"


class _Running:
    """A step at work, and the end of its output."""

    def __init__(self, title: str, begun_s: float) -> None:
        self.title = title
        self.begun_s = begun_s
        self.tail = [""]

    def take(self, text: str) -> None:
        first, *others = text.split("\n")
        self.tail[-1:] = [self.tail[-1] + first, *others]
        del self.tail[: -_TAIL_LINES - 1]

    def last_lines(self, count: int) -> list[str]:
        shown = [line.rstrip("\r").rpartition("\r")[2] for line in self.tail if line.strip()]
        return shown[-count:]


class LiveBuild:
    """Finished steps scroll up; below them the running ones, each with the end of its output."""

    def __init__(
        self,
        *,
        colour: bool,
        columns: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._colour = colour
        self._columns = columns
        self._clock = clock
        self._drawn = 0
        self._running: dict[tuple[str, int], _Running] = {}
        self._drawn_at_s = 0.0

    def watch(self, service: str, event: StepEvent) -> None:
        key = (service, event.step)
        if event.phase is StepPhase.STARTED:
            title = titled(service, event.title)
            self._running[key] = _Running(title, self._clock() - event.seconds)
            self._draw()
        elif event.phase is StepPhase.OUTPUT:
            if key in self._running:
                self._running[key].take(event.text)
            if self._clock() - self._drawn_at_s > _REDRAW_S:
                self._draw()
        elif event.phase is StepPhase.WARNING:
            self._clear()
            sys.stderr.write(f"{paint('!', BLUE, when=self._colour)} {harmless(event.text)}\n")
            self._draw()
        else:
            self._clear()
            self._running.pop(key, None)
            sys.stderr.write(self._finished(service, event) + "\n")
            if self._running:
                self._draw()
        sys.stderr.flush()

    def end(self) -> None:
        self._clear()
        sys.stderr.flush()

    def _finished(self, service: str, event: StepEvent) -> str:
        mark, shade = {
            StepPhase.DONE: ("✔", GREEN),
            StepPhase.CACHED: ("=", BLUE),
            StepPhase.FAILED: ("✘", RED),
            StepPhase.CANCELLED: ("-", RED),
        }[event.phase]
        clock = _END[event.phase] if event.phase in _SILENT else f"{event.seconds:.1f}s"
        return self._row(mark, shade, titled(service, event.title), clock)

    def _row(self, mark: str, shade: str, title: str, clock: str) -> str:
        room = max(self._columns() - len(clock) - 5, 10)
        text = harmless(title)
        text = text if display_width(text) <= room else text[: room - 1] + "…"
        gap = " " * (room - display_width(text) + 1)
        colour = self._colour
        return f" {paint(mark, shade, when=colour)} {text}{gap}{paint(clock, BLUE, when=colour)}"

    def _draw(self) -> None:
        self._clear()
        now_s = self._drawn_at_s = self._clock()
        tail = max(1, _TAIL_LINES // max(1, len(self._running)))
        width = max(self._columns() - 6, 10)
        lines = []
        for step in self._running.values():
            lines.append(self._row("⠿", BOLD, step.title, f"{now_s - step.begun_s:.1f}s"))
            lines += [f"    {harmless(line)[:width]}" for line in step.last_lines(tail)]
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        self._drawn = len(lines)

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write(f"\x1b[{self._drawn}A\r\x1b[J")
            self._drawn = 0
