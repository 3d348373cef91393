"""How builds are drawn: lines by step, and live with several steps at work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.build.events import StepEvent, StepPhase
from orchestra.cli.render.building import LiveBuild, PlainBuild

if TYPE_CHECKING:
    import pytest

ONE, TWO = "[one 2/2] RUN make", "[two 2/2] RUN test"
S = StepPhase


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_lines_name_their_step_also_when_steps_take_turns() -> None:
    lines: list[str] = []
    plain = PlainBuild(lines.append)
    for event in (
        StepEvent(1, ONE, S.STARTED),
        StepEvent(2, TWO, S.STARTED),
        StepEvent(1, ONE, S.OUTPUT, "half a ", 0.5),
        StepEvent(2, TWO, S.OUTPUT, "other\n", 0.6),
        StepEvent(1, ONE, S.OUTPUT, "", 1.0),
        StepEvent(1, ONE, S.OUTPUT, "line\nrest", 1.1),
        StepEvent(2, TWO, S.FAILED, "", 2.0),
        StepEvent(1, ONE, S.CANCELLED, "", 2.1),
    ):
        plain.watch("", event)
    assert "".join(lines).splitlines() == [
        f"#1 {ONE}",
        f"#2 {TWO}",
        "#2 0.600 other",
        "#1 1.100 half a line",
        "#2 ERROR 2.0s",
        "",
        "#1 2.100 rest",
        "#1 CANCELED",
        "",
    ]


def last_drawn(text: str) -> list[str]:
    """What stands on the screen after the last clearing, with single spaces."""
    lines = re.split(r"\x1b\[\d+A\r\x1b\[J", text)[-1].splitlines()
    return [" ".join(line.split()) for line in lines]


def test_all_running_steps_are_drawn_with_their_last_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    live = LiveBuild(colour=False, columns=lambda: 40, clock=clock)
    live.watch("", StepEvent(1, ONE, S.STARTED))
    live.watch("web", StepEvent(1, TWO, S.STARTED))
    clock.now_s = 103.0
    live.watch("", StepEvent(1, ONE, S.OUTPUT, "compiling\n10 %\r20 %", 3.0))
    clock.now_s = 104.0
    live.watch("web", StepEvent(1, TWO, S.OUTPUT, "", 4.0))
    assert last_drawn(capsys.readouterr().err) == [
        "⠿ [one 2/2] RUN make 4.0s",
        "compiling",
        "20 %",
        "⠿ [web two 2/2] RUN test 4.0s",
    ]
    live.watch("web", StepEvent(1, TWO, S.DONE, "", 4.2))
    assert last_drawn(capsys.readouterr().err)[:2] == [
        "✔ [web two 2/2] RUN test 4.2s",
        "⠿ [one 2/2] RUN make 4.0s",
    ]
    live.watch("", StepEvent(1, ONE, S.CANCELLED, "", 5.0))
    live.end()
    assert last_drawn(capsys.readouterr().err) == ["- [one 2/2] RUN make CANCELED"]
