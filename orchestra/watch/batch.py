"""When changes that come one after the other are acted upon: once it has been quiet. Pure.

An editor writes several files, `git checkout` thousands: one batch each, not one action per file.
"""

from __future__ import annotations

QUIET_S = 0.2
LONGEST_S = 5.0
"""A file that is written to all the time must not hold up the others for longer."""


class Batch:
    """The changed paths that have been collected; times are those of one clock, in seconds."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._first_s = 0.0
        self._last_s = 0.0

    def add(self, paths: frozenset[str], now_s: float) -> None:
        if not paths:
            return
        if not self._paths:
            self._first_s = now_s
        self._last_s = now_s
        self._paths |= paths

    def wait_s(self, now_s: float) -> float | None:
        """How long until the batch is due; None when nothing has changed."""
        if not self._paths:
            return None
        due_s = min(self._last_s + QUIET_S, self._first_s + LONGEST_S)
        return max(0.0, due_s - now_s)

    def take(self, now_s: float) -> tuple[str, ...]:
        """The batch if it is due, sorted; else nothing."""
        if self.wait_s(now_s) != 0.0:
            return ()
        paths, self._paths = self._paths, set()
        return tuple(sorted(paths))
