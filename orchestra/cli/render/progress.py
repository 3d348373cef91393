"""How the progress of `up`, `down` and the like is shown on stderr.

`open_display` picks the form: live lines on a terminal, one line per event elsewhere, JSON lines
or nothing. No thread draws the live lines, since a process that forks a supervisor must have none:
events do, and an interval timer between them.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from orchestra.cli.context import is_terminal
from orchestra.cli.render.size import human_size
from orchestra.cli.render.text import (
    BLUE,
    BOLD,
    GREEN,
    RED,
    YELLOW,
    display_width,
    harmless,
    paint,
)
from orchestra.named import NamedTuple
from orchestra.plan.events import Phase
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.cli.context import Context
    from orchestra.plan.events import Progress, Report

REDRAW_S = 0.1
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MARKS = {
    Phase.DONE: ("✔", GREEN),
    Phase.FAILED: ("✘", RED),
    Phase.SKIPPED: ("-", BLUE),
    Phase.WARNING: ("!", YELLOW),
}
JSON_STATUS = {Phase.FAILED: "Error", Phase.SKIPPED: "Warning"}
"""Docker Compose knows Working, Done, Warning and Error."""
TROUBLE = (Phase.FAILED, Phase.SKIPPED, Phase.WARNING)
STARTS = (Verb.START.doing, Verb.START.done)
DRY_RUN_MARK = "DRY-RUN MODE -  "
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
PART_INDENT, BAR_WIDTH = "  ", 20
CLEAR_LINE, CLEAR_BELOW = "\x1b[K", "\x1b[J"


@contextmanager
def open_display(
    context: Context, title: str, *, rehearses: bool = False, quietly: bool = False
) -> Iterator[Report]:
    """The function that takes the events of one operation; *title* heads the live form.

    It shows them as --progress says, or *quietly* whatever that says.

    Whoever opens this is about to change something, unless it *rehearses* in a dry run: other dry
    runs raise Unsupported.
    """
    if not rehearses:
        context.refuse_dry_run()
    mode = "quiet" if quietly else context.options.progress
    with _open(context, title, mode) as report:
        if not context.options.dry_run:
            yield report
        elif mode == "json":
            yield partial(as_json, dry_run=True)
        else:
            yield marked_as_dry_run(report)


def marked_as_dry_run(report: Report) -> Report:
    """*report*, told that nothing happens, in the words of Docker Compose."""

    def marked(progress: Progress) -> None:
        if progress.resource:
            report(progress._replace(resource=f"{DRY_RUN_MARK}{progress.resource}"))
        else:
            report(progress._replace(text=f"{DRY_RUN_MARK}{progress.text}"))

    return marked


@contextmanager
def _open(context: Context, title: str, mode: str) -> Iterator[Report]:
    if mode == "auto":
        mode = "tty" if is_terminal(2) and context.options.ansi != "never" else "plain"
    if mode != "tty":
        yield _LINES[mode]
        return
    live = LiveDisplay(title, colour=context.colour_stderr)
    live.begin()
    try:
        yield live.report
    finally:
        live.end()


def beside_logs(context: Context) -> Report:
    """For `up` in the foreground, whose terminal belongs to the logs.

    On a terminal finished steps only; starts, which the logs show, nowhere.
    """
    mode = context.options.progress
    if mode == "auto" and not is_terminal(2):
        mode = "plain"
    tell = _LINES.get(mode) or _finished(colour=context.colour_stderr)

    def report(progress: Progress) -> None:
        if progress.text not in STARTS or progress.phase in TROUBLE:
            sys.stdout.flush()
            tell(progress)

    return report


def _finished(*, colour: bool) -> Report:
    """A marked line for each step that has ended."""

    def report(progress: Progress) -> None:
        if progress.phase is Phase.WORKING or progress.parent:
            return
        if not progress.resource:
            plain(progress)
            return
        mark, shade = MARKS[progress.phase]
        sys.stderr.write(f" {paint(mark, shade, when=colour)} {words_of(progress)}\n")
        sys.stderr.flush()

    return report


def quiet(progress: Progress) -> None:
    """Show nothing but warnings and failures of the whole project."""
    if not progress.resource and progress.phase in (Phase.FAILED, Phase.WARNING):
        plain(progress)


def plain(progress: Progress) -> None:
    """One line for each event, as ` Container demo-web-1  Started`; remarks are not indented.

    Of what is counted in bytes only where it begins and ends.
    """
    if progress.phase is Phase.WORKING and progress.done_bytes:
        return
    blank = " " if progress.resource else ""
    sys.stderr.write(f"{blank}{words_of(progress)}\n")
    sys.stderr.flush()


def words_of(progress: Progress) -> str:
    """The event on one line; a detail only where something is amiss, as Docker Compose does."""
    words = [progress.resource, progress.text]
    if progress.phase in TROUBLE:
        words.append(progress.detail)
    return "  ".join(harmless(word) for word in words if word)


def as_json(progress: Progress, *, dry_run: bool = False) -> None:
    """One JSON object for each event, with the keys of Docker Compose."""
    import json

    record = {
        "dry-run": dry_run,
        "id": progress.resource,
        "parent_id": progress.parent,
        "status": JSON_STATUS.get(progress.phase, progress.phase.value.capitalize()),
        "text": progress.text,
        "details": progress.detail,
        "current": progress.done_bytes,
        "total": progress.total_bytes,
        "percent": percent(progress),
    }
    line = json.dumps({key: value for key, value in record.items() if value})
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def percent(progress: Progress) -> int:
    if not progress.total_bytes:
        return 0
    return min(progress.done_bytes * 100 // progress.total_bytes, 100)


_LINES: dict[str, Callable[[Progress], None]] = {"plain": plain, "quiet": quiet, "json": as_json}


class Task(NamedTuple):
    """The latest that is known of one resource; *ended* is 0 while it is under way."""

    event: Progress
    began: float
    ended: float = 0.0


class LiveDisplay:
    """One line per resource, redrawn in place."""

    def __init__(self, title: str, *, colour: bool) -> None:
        self._title = title
        self._colour = colour
        self._tasks: dict[tuple[str, str], Task] = {}
        self._drawn: list[int] = []  # the widths of the lines that stand there
        self._drawing = False
        self._drawn_at = 0.0

    def begin(self) -> None:
        import signal  # here: it would cost `stop` and the like, in a script, 1 ms for nothing

        sys.stderr.write(HIDE_CURSOR)
        signal.signal(signal.SIGALRM, self._tick)
        signal.setitimer(signal.ITIMER_REAL, REDRAW_S, REDRAW_S)

    def end(self) -> None:
        import signal

        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self._drawing = False
        self._draw()
        sys.stderr.write(SHOW_CURSOR)
        sys.stderr.flush()

    def report(self, event: Progress) -> None:
        now = time.monotonic()
        key = (event.parent, event.resource or event.text)
        known = self._tasks.get(key)
        began = known.began if known else now
        ended = 0.0 if event.phase is Phase.WORKING else now
        self._tasks[key] = Task(event, began, ended)
        if now - self._drawn_at > REDRAW_S:  # else the timer will
            self._draw()

    def _tick(self, _signal: int, _frame: object) -> None:
        self._draw()

    def _draw(self) -> None:
        """Write all lines over those of the last time. Not entered twice, though a timer ticks."""
        if self._drawing or not self._tasks:
            return
        self._drawing = True
        self._drawn_at = time.monotonic()
        columns, rows = _terminal_size()
        up = rows_above(self._drawn, columns)
        lines = frame(
            self._title,
            list(self._tasks.values()),
            (columns, rows),
            now=time.monotonic(),
            colour=self._colour,
        )
        # cleared first: after a line that fills the terminal it would cost the last character
        body = "".join(f"{CLEAR_LINE}{line}\n" for line in lines)
        sys.stderr.write((f"\x1b[{up}A\r" if up else "") + body + CLEAR_BELOW)
        sys.stderr.flush()
        self._drawn = [display_width(bare(line)) for line in lines]
        self._drawing = False


def bare(line: str) -> str:
    """*line* without its colours."""
    first, *others = line.split("\x1b[")
    return first + "".join(other.partition("m")[2] for other in others)


def rows_above(widths: list[int], columns: int) -> int:
    """How many rows of a terminal that is *columns* wide now the lines of *widths* take.

    A terminal that has become narrower folds them.
    """
    return sum(max(1, -(-width // columns)) for width in widths)


def frame(
    title: str, tasks: list[Task], size: tuple[int, int], *, now: float, colour: bool
) -> list[str]:
    """The lines to show on a terminal of *size* (columns, rows); none is wider than it.

    When there are too many, what is under way and what went wrong comes before what is done.
    """
    columns, rows = size
    whole = [task for task in tasks if not task.event.parent]
    done = sum(1 for task in whole if task.ended)
    tasks = with_parts_beneath(tasks)
    shown, hidden = most_telling(tasks, max(rows - 3, 1))
    head = paint(f"[+] {title} {done}/{len(whole)}"[:columns], BOLD, when=colour)
    name_width = max(
        display_width(task.event.resource) + len(PART_INDENT) * bool(task.event.parent)
        for task in shown
    )
    lines = [
        head,
        *(_task_line(task, name_width, columns, now=now, colour=colour) for task in shown),
    ]
    if hidden:
        states = Counter(task.event.text for task in hidden).most_common()
        counted = ", ".join(f"{count} {harmless(text)}" for text, count in states)
        lines.append(f" … {len(hidden)} more: {counted}"[:columns])
    return lines


def most_telling(tasks: list[Task], room: int) -> tuple[list[Task], list[Task]]:
    """At most *room* of *tasks* in their order, and the others."""
    if len(tasks) <= room:
        return tasks, []

    def weight(place: int) -> tuple[int, float]:
        task = tasks[place]
        if task.event.phase in TROUBLE:
            return 0, 0.0
        return (2, -task.ended) if task.ended else (1, 0.0)

    chosen = set(sorted(range(len(tasks)), key=weight)[:room])
    return (
        [task for place, task in enumerate(tasks) if place in chosen],
        [task for place, task in enumerate(tasks) if place not in chosen],
    )


def with_parts_beneath(tasks: list[Task]) -> list[Task]:
    """Every task, followed by its parts while it is under way."""
    parts: dict[str, list[Task]] = {}
    for task in tasks:
        if task.event.parent:
            parts.setdefault(task.event.parent, []).append(task)
    lines = []
    for task in tasks:
        if not task.event.parent:
            lines.append(task)
            lines += () if task.ended else parts.get(task.event.resource, ())
    return lines


def bar(progress: Progress) -> str:
    """How far a part is: `[=====>    ]  1.2MB/3MB`; "" where that is not known."""
    if progress.phase is not Phase.WORKING or not progress.total_bytes:
        return ""
    filled = min(progress.done_bytes * BAR_WIDTH // progress.total_bytes, BAR_WIDTH)
    drawn = ("=" * filled + ">")[:BAR_WIDTH].ljust(BAR_WIDTH)
    return f"[{drawn}]  {human_size(progress.done_bytes)}/{human_size(progress.total_bytes)}"


def _task_line(task: Task, name_width: int, columns: int, *, now: float, colour: bool) -> str:
    event = task.event
    mark, shade = MARKS.get(event.phase, (SPINNER[int(now * 10) % len(SPINNER)], BLUE))
    clock = f"{(task.ended or now) - task.began:.1f}s"
    room = columns - len(clock) - 5
    name = harmless(PART_INDENT + event.resource if event.parent else event.resource)
    detail = event.detail if event.phase in TROUBLE else bar(event)
    text = harmless(" ".join(word for word in (event.text, detail) if word))
    name = name + " " * (name_width - display_width(name))
    left = f"{name}  {text}" if event.resource else text
    left = left if display_width(left) <= room else left[: room - 1] + "…"
    gap = " " * (room - display_width(left) + 1)
    name_end = min(len(name), len(left))
    painted = left[:name_end] + paint(left[name_end:], shade, when=colour)
    return f" {paint(mark, shade, when=colour)} {painted}{gap} {paint(clock, BLUE, when=colour)}"


def _terminal_size() -> tuple[int, int]:
    import os

    try:
        size = os.get_terminal_size(2)
    except OSError:
        return 80, 24
    return size.columns or 80, size.lines or 24
