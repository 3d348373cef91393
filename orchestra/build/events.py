"""What a build tells while it works; who draws it is not known here."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple


class StepPhase(Enum):
    STARTED = "started"
    OUTPUT = "output"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WARNING = "warning"


class StepEvent(NamedTuple):
    """*step* tells the steps of a build apart; *title* is "[stage 2/5] RUN make".

    *text* is output as it came, a warning or the image's id; *seconds* is what the step took. An
    OUTPUT without text says that the step is still at work.
    """

    step: int
    title: str
    phase: StepPhase
    text: str = ""
    seconds: float = 0.0


Watch = Callable[[StepEvent], None]
