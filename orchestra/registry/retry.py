"""Whether and when to try again: the decision, without waiting."""

from __future__ import annotations

from orchestra.named import NamedTuple
from orchestra.registry.failures import Stalled, Transient


class Backoff(NamedTuple):
    """Delays of 0.5, 1, 2, 4 … seconds, at most *longest_s*, *attempts* tries in all.

    One that stalls, which costs its whole time limit, has *stalled_attempts*. A registry that
    asks for longer delays is waited for, up to *patience_s* each time.
    """

    attempts: int = 6
    stalled_attempts: int = 2
    first_s: float = 0.5
    longest_s: float = 15.0
    patience_s: float = 120.0

    def delay_s(self, error: Exception, failures: int, jitter: float) -> float | None:
        """How long to wait after the *failures*-th failure in a row; None: give up.

        *jitter*, from 0 to 1, spreads those who failed together.
        """
        attempts = self.stalled_attempts if isinstance(error, Stalled) else self.attempts
        if not isinstance(error, Transient) or failures >= attempts:
            return None
        delay: float = min(self.first_s * 2 ** (failures - 1), self.longest_s)
        delay *= 0.75 + 0.5 * jitter
        asked = error.retry_after_s or 0.0
        return None if asked > self.patience_s else max(delay, asked)
