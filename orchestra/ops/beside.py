"""What a foreground `up` waits for beside logs, engine and signals: a person's keys, a watch."""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class Wish(Enum):
    """What somebody asks of the session."""

    NOTHING = "nothing"
    STOP = "stop"  # as Ctrl-C
    DETACH = "detach"


class Beside(Protocol):
    """Told how far the session is, and asked in between."""

    def attached(self) -> None:
        """It has been said whose logs are shown; they may come now."""

    def running(self) -> None:
        """Everything has been started."""

    def rest(self) -> tuple[int, ...]:
        """There is nothing to show at the moment. Returns descriptors to wait for."""

    def step(self, ready: frozenset[int]) -> Wish:
        """Some of them, or others, are *ready*."""

    def is_busy(self) -> bool:
        """Are containers being replaced, so that their ends mean nothing?"""

    def end(self) -> None:
        """The session stops or is left."""


class Alone:
    """Nobody is there."""

    def attached(self) -> None: ...
    def running(self) -> None: ...
    def rest(self) -> tuple[int, ...]:
        return ()

    def step(self, ready: frozenset[int]) -> Wish:  # noqa: ARG002
        return Wish.NOTHING

    def is_busy(self) -> bool:
        return False

    def end(self) -> None: ...
