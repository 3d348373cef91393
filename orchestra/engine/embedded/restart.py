"""Docker's restart policies: what to do when a container has exited. Pure; time is passed in.

The delay begins at 100 ms, doubles with each restart up to a minute, and begins anew after a run of
ten seconds (Docker Engine, "Start containers automatically"). Attempts are counted until somebody
starts the container by hand, however long it has run in between (moby restartmanager).
`deploy.restart_policy` sets a fixed delay, and a window after which they are counted anew.
"""

from __future__ import annotations

from orchestra.model.container import RestartMode, RestartPolicy
from orchestra.named import NamedTuple

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 60.0
SETTLED_AFTER_S = 10.0


class Backoff(NamedTuple):
    """What is remembered between two exits of one container."""

    attempts: int = 0  # restarts so far; compared with on-failure:N
    delay_s: float = 0.0  # of the last restart


class Exit(NamedTuple):
    """How a run ended."""

    exit_code: int
    ran_s: float
    stopped_by_user: bool = False


class Decision(NamedTuple):
    """Restart after *delay_s*, or (None) leave it exited; and what to remember."""

    delay_s: float | None
    backoff: Backoff


def decide(policy: RestartPolicy, backoff: Backoff, end: Exit) -> Decision:
    """Whether and when a container with *policy* is started again after *end*."""
    if policy.window_s is not None and end.ran_s >= policy.window_s:
        backoff = Backoff()
    elif end.ran_s >= SETTLED_AFTER_S:
        backoff = backoff._replace(delay_s=0.0)
    if end.stopped_by_user or not _wants_restart(policy, backoff, end):
        return Decision(None, Backoff())
    delay_s = policy.delay_s
    if delay_s is None:
        delay_s = min(max(FIRST_DELAY_S, backoff.delay_s * 2), LONGEST_DELAY_S)
    return Decision(delay_s, Backoff(backoff.attempts + 1, delay_s))


def _wants_restart(policy: RestartPolicy, backoff: Backoff, end: Exit) -> bool:
    bounded = policy.max_attempts > 0 and backoff.attempts >= policy.max_attempts
    match policy.mode:
        case RestartMode.NO:
            return False
        case RestartMode.ON_FAILURE:
            return end.exit_code != 0 and not bounded
        case RestartMode.ALWAYS | RestartMode.UNLESS_STOPPED:
            return not bounded
