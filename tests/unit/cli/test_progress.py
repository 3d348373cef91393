from __future__ import annotations

from orchestra.cli.render.progress import Task, frame, marked_as_dry_run, words_of
from orchestra.cli.render.text import display_width
from orchestra.plan.events import Phase, Progress

TASKS = [
    Task(Progress("Network demo_default", Phase.DONE, "Created"), 10.0, 10.1),
    Task(Progress("Container demo-web-1", Phase.WORKING, "Starting"), 10.0),
]


def test_each_resource_has_a_line_with_its_state_and_time() -> None:
    lines = frame("up", TASKS, (60, 24), now=11.0, colour=False)
    assert lines[0] == "[+] up 1/2"
    assert lines[1] == " ✔ Network demo_default  Created" + " " * 24 + "0.1s"
    assert lines[2].endswith(" Container demo-web-1  Starting" + " " * 23 + "1.0s")


def test_no_line_is_wider_than_the_terminal() -> None:
    long = Task(Progress("Container " + "x" * 80, Phase.FAILED, "Error", "why " * 20), 10.0, 12.0)
    for columns in (20, 40, 79, 200):
        lines = frame("up", [*TASKS, long], (columns, 24), now=12.0, colour=False)
        assert max(map(display_width, lines[1:])) <= columns


def test_a_hundred_services_fit_on_a_small_terminal() -> None:
    tasks = [Task(Progress(f"Container c{n}", Phase.DONE, "Started"), 0.0, 1.0) for n in range(100)]
    lines = frame("up", tasks, (80, 24), now=2.0, colour=False)
    assert len(lines) <= 23
    assert lines[-1] == " … 79 more: 79 Started"


def test_escape_sequences_in_names_do_not_reach_the_terminal() -> None:
    task = Task(Progress("Container \x1b[2J", Phase.DONE, "Started", "\x07"), 0.0, 1.0)
    assert all(line.isprintable() for line in frame("up", [task], (80, 24), now=1.0, colour=False))


def test_a_dry_run_is_marked_on_every_line() -> None:
    told: list[Progress] = []
    report = marked_as_dry_run(told.append)
    report(Progress("Container demo-web-1", Phase.WORKING, "Stopping"))
    report(Progress("", Phase.WARNING, "No container to kill"))
    assert [words_of(progress) for progress in told] == [
        "DRY-RUN MODE -  Container demo-web-1  Stopping",
        "DRY-RUN MODE -  No container to kill",
    ]
