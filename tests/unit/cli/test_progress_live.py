"""The live lines on terminals that are small, and that change; the other forms, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyte
import pytest

from orchestra.cli.render import progress as progress_module
from orchestra.cli.render.progress import (
    LiveDisplay,
    Task,
    as_json,
    bare,
    frame,
    most_telling,
    plain,
    quiet,
    rows_above,
)
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from orchestra.plan.events import Report
    from tests.support.golden import Golden

EVENTS = (
    Progress("Network demo_default", Phase.WORKING, "Creating"),
    Progress("Network demo_default", Phase.DONE, "Created"),
    Progress("Image app", Phase.WORKING, "Pulling"),
    Progress("5f70bf18a086", Phase.WORKING, "Downloading", "", "Image app", 512, 2048),
    Progress("Image app", Phase.DONE, "Pulled"),
    Progress("Container demo-web-1", Phase.FAILED, "Error", "port 80 is in use"),
    Progress("Container demo-db-1", Phase.SKIPPED, "Skipped", "Container demo-web-1 failed"),
    Progress("", Phase.WARNING, "Found orphan containers"),
)


@pytest.mark.parametrize("form", [plain, quiet, as_json], ids=lambda form: str(form.__name__))
def test_every_form_but_the_live_one_is_lines(
    form: Report, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    for event in EVENTS:
        form(event)
    golden.check(f"progress/{form.__name__}.txt", capsys.readouterr().err)


def tasks(
    count: int, *, under_way: tuple[int, ...] = (), failed: tuple[int, ...] = ()
) -> list[Task]:
    made = []
    for number in range(count):
        phase = Phase.WORKING if number in under_way else Phase.DONE
        phase = Phase.FAILED if number in failed else phase
        event = Progress(
            f"Container c{number}", phase, "Started", "why" if number in failed else ""
        )
        made.append(Task(event, 0.0, 0.0 if phase is Phase.WORKING else 1.0 + number))
    return made


def test_what_is_under_way_or_wrong_is_shown_before_what_is_done() -> None:
    shown, hidden = most_telling(tasks(100, under_way=(70, 99), failed=(42,)), 5)
    assert [task.event.resource for task in shown] == [
        "Container c42",
        "Container c70",
        "Container c97",
        "Container c98",
        "Container c99",
    ]
    assert len(hidden) == 95


def test_what_does_not_fit_is_summed_up() -> None:
    lines = frame("up", tasks(100), (60, 13), now=9.0, colour=True)
    assert len(lines) == 12
    assert bare(lines[0]) == "[+] up 100/100"
    assert lines[-1] == " … 90 more: 90 Started"


@pytest.mark.parametrize(
    ("widths", "columns", "rows"),
    [([], 80, 0), ([80, 80, 10], 80, 3), ([80, 80, 10], 40, 5), ([80, 0], 79, 3), ([80], 200, 1)],
)
def test_lines_fold_when_the_terminal_gets_narrower(
    widths: list[int], columns: int, rows: int
) -> None:
    assert rows_above(widths, columns) == rows


def test_the_last_frame_is_whole_after_any_resize(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = pyte.Screen(80, 24)
    stream = pyte.Stream(screen)
    monkeypatch.setattr(progress_module, "REDRAW_S", 0.0)  # every event draws
    monkeypatch.setattr(progress_module, "_terminal_size", lambda: (screen.columns, screen.lines))
    display = LiveDisplay("up", colour=True)

    def show() -> None:
        stream.feed(capsys.readouterr().err.replace("\n", "\r\n"))

    for number in range(100):
        display.report(Progress(f"Container c{number}", Phase.WORKING, "Starting"))
        show()
        if number % 10 == 9:
            columns, rows = ((40, 10), (120, 30), (25, 8), (80, 24))[number // 10 % 4]
            screen.resize(rows, columns)
    for number in range(100):
        display.report(Progress(f"Container c{number}", Phase.DONE, "Started"))
        show()
    lines = [line.rstrip() for line in screen.display if line.strip()]
    assert lines.count("[+] up 100/100") == 1
    assert lines[-1].startswith(" … ")
    assert lines[-1].endswith(" Started")
    shown = [line for line in lines if "Container" in line]
    assert len(shown) == len(set(shown)) == screen.lines - 3
    assert all(line.startswith(" ✔ Container c") and line.endswith("s") for line in shown)
