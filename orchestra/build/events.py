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


STEPS_OF_A_STAGE = 10_000
"""The numbers of a stage's steps begin at its own number times this.

The first (…0001) is the stage's base; the image is exported under the number of a stage (…0000)
that is not there any more.
"""


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

    @property
    def makes_layer(self) -> bool:
        """Is it about a step that is looked for in the cache?"""
        return self.step % STEPS_OF_A_STAGE > 1


Watch = Callable[[StepEvent], None]
