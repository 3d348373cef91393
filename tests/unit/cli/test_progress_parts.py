"""Layers below their image in the live display, and what plain lines say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.cli.render.progress import Task, bar, frame, plain, with_parts_beneath
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Sequence


def image(name: str, *, ended: bool = False) -> Task:
    phase = Phase.DONE if ended else Phase.WORKING
    event = Progress(name, phase, "Pulled" if ended else "Pulling")
    return Task(event, 0.0, 1.0 if ended else 0.0)


def layer(name: str, parent: str, done: int, total: int = 2_000_000) -> Task:
    event = Progress(
        name, Phase.WORKING, "Downloading", parent=parent, done_bytes=done, total_bytes=total
    )
    return Task(event, 0.0)


def resources(tasks: Sequence[Task]) -> list[str]:
    return [task.event.resource for task in tasks]


def test_layers_stand_below_their_image_until_it_is_pulled() -> None:
    tasks = [image("a"), image("b"), layer("b1", "b", 1), layer("a1", "a", 1), layer("a2", "a", 1)]
    assert resources(with_parts_beneath(tasks)) == ["a", "a1", "a2", "b", "b1"]
    tasks[0] = image("a", ended=True)
    assert resources(with_parts_beneath(tasks)) == ["a", "b", "b1"]


def test_the_head_counts_images_and_not_layers() -> None:
    tasks = [image("a", ended=True), image("b"), layer("b1", "b", 500_000)]
    lines = frame("Pulling", tasks, (80, 24), now=1.0, colour=False)
    assert lines[0] == "[+] Pulling 1/2"
    assert [line[3:40].rstrip() for line in lines[1:]] == [
        "a     Pulled",
        "b     Pulling",
        "  b1  Downloading [=====>",
    ]


@pytest.mark.parametrize(
    ("done", "drawn"),
    [
        (0, "[>                   ]  0B/2MB"),
        (1_000_000, "[==========>         ]  1MB/2MB"),
        (2_000_000, "[====================]  2MB/2MB"),
        (9_000_000, "[====================]  9MB/2MB"),
    ],
)
def test_a_bar_tells_how_far_a_layer_is(done: int, drawn: str) -> None:
    assert bar(layer("x", "a", done).event) == drawn


def test_there_is_no_bar_without_a_size_or_at_the_end() -> None:
    assert bar(layer("x", "a", 1, total=0).event) == ""
    assert bar(image("a", ended=True).event) == ""


def test_plain_lines_leave_out_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    plain(Progress("x", Phase.WORKING, "Waiting", parent="a", total_bytes=7))
    plain(layer("x", "a", 5).event)
    plain(Progress("x", Phase.DONE, "Download complete", "", "a", 7, 7))
    assert capsys.readouterr().err == " x  Waiting\n x  Download complete\n"
