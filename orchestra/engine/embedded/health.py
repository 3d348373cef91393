"""The healthcheck of one container as a state machine. Pure: no clock, no process.

Docker's rules: a check begins one interval after the last one ended (`start_interval_s` while the
start period lasts and the container has not been healthy yet); *retries* failures in a row make it
unhealthy, but failures within the start period do not count; one success makes it healthy, ends
the start period and sets the count back to 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.state import Health
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.model.container import HealthCheck


DEFAULT_S = 30.0
"""What 0 means for interval and timeout, as Docker has it."""

DEFAULT_START_S = 5.0
"""What 0 means for start_interval, but never longer than the interval itself, as in Docker before
25: a check every second shall not become rarer for having a start period.
"""


class HealthTrack(NamedTuple):
    """Where the checks of one run stand. *started_s* and all times are of one monotonic clock."""

    started_s: float
    status: str = Health.STARTING
    failing_streak: int = 0


def is_enabled(check: HealthCheck | None) -> bool:
    """Is there a command to run? `test: NONE` switches an image's check off."""
    return check is not None and bool(check.test) and check.test[0] != "NONE"


def in_start_period(check: HealthCheck, track: HealthTrack, now_s: float) -> bool:
    return track.status == Health.STARTING and now_s - track.started_s < check.start_period_s


def next_delay_s(check: HealthCheck, track: HealthTrack, now_s: float) -> float:
    """How long to wait from *now_s*, the end of the last check or the start, to the next."""
    interval_s = check.interval_s if check.interval_s > 0 else DEFAULT_S
    if in_start_period(check, track, now_s):
        return check.start_interval_s or min(DEFAULT_START_S, interval_s)
    return interval_s


def timeout_s(check: HealthCheck) -> float:
    """How long a check may take."""
    return check.timeout_s if check.timeout_s > 0 else DEFAULT_S


def after_probe(
    check: HealthCheck, track: HealthTrack, now_s: float, *, succeeded: bool
) -> HealthTrack:
    """The track after a check that ended at *now_s*."""
    if succeeded:
        return track._replace(status=Health.HEALTHY, failing_streak=0)
    if in_start_period(check, track, now_s):
        return track
    streak = track.failing_streak + 1
    if streak >= max(1, check.retries):
        return track._replace(status=Health.UNHEALTHY, failing_streak=streak)
    return track._replace(failing_streak=streak)


def probe_argv(check: HealthCheck, shell: tuple[str, ...] = ("/bin/sh", "-c")) -> tuple[str, ...]:
    """What is executed: ("CMD", …) as it is, ("CMD-SHELL", line) by the shell."""
    kind, *rest = check.test
    if kind == "CMD-SHELL":
        return (*shell, *rest)
    return tuple(rest) if kind == "CMD" else check.test
