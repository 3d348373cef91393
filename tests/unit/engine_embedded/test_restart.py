from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.engine.embedded.restart import (
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    Backoff,
    Exit,
    decide,
)
from orchestra.model.container import RestartMode, RestartPolicy


def policy(mode: str, **fields: object) -> RestartPolicy:
    return RestartPolicy(mode=RestartMode(mode), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mode", "exit_code", "restarts"),
    [
        ("no", 1, False),
        ("no", 0, False),
        ("always", 0, True),
        ("always", 1, True),
        ("unless-stopped", 0, True),
        ("on-failure", 0, False),
        ("on-failure", 137, True),
    ],
)
def test_policy_decides_by_exit_code(mode: str, exit_code: int, *, restarts: bool) -> None:
    decision = decide(policy(mode), Backoff(), Exit(exit_code, 1.0))
    assert (decision.delay_s is not None) == restarts


@pytest.mark.parametrize("mode", [mode.value for mode in RestartMode])
def test_what_the_user_stopped_stays_stopped(mode: str) -> None:
    end = Exit(137, 1.0, stopped_by_user=True)
    assert decide(policy(mode), Backoff(3, 0.4), end) == (None, Backoff())


def test_delay_doubles_from_a_tenth_of_a_second_to_a_minute() -> None:
    delays = []
    backoff = Backoff()
    for _ in range(12):
        delay_s, backoff = decide(policy("always"), backoff, Exit(1, 0.5))
        delays.append(delay_s)
    assert delays[:5] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6])
    assert delays[-1] == LONGEST_DELAY_S


def test_ten_seconds_of_running_reset_the_delay_but_not_the_attempts() -> None:
    delay_s, backoff = decide(policy("on-failure", max_attempts=3), Backoff(2, 6.4), Exit(1, 10.0))
    assert delay_s == FIRST_DELAY_S
    assert backoff.attempts == 3
    assert decide(policy("on-failure", max_attempts=3), backoff, Exit(1, 99.0)).delay_s is None


def test_window_of_deploy_counts_the_attempts_anew() -> None:
    windowed = policy("on-failure", max_attempts=2, delay_s=1.0, window_s=5.0)
    assert decide(windowed, Backoff(2, 1.0), Exit(1, 4.9)).delay_s is None
    assert decide(windowed, Backoff(2, 1.0), Exit(1, 5.0)) == (1.0, Backoff(1, 1.0))


def test_attempts_are_bounded() -> None:
    backoff = Backoff()
    restarts = 0
    while True:
        delay_s, backoff = decide(policy("on-failure", max_attempts=3), backoff, Exit(7, 0.1))
        if delay_s is None:
            break
        restarts += 1
    assert restarts == 3


def test_deploy_delay_is_fixed() -> None:
    backoff = Backoff()
    for _ in range(3):
        delay_s, backoff = decide(policy("always", delay_s=5.0), backoff, Exit(1, 0.1))
        assert delay_s == 5.0


@given(
    st.sampled_from(list(RestartMode)),
    st.lists(st.tuples(st.integers(0, 255), st.floats(0, 100)), max_size=40),
)
def test_delays_stay_within_their_bounds(mode: RestartMode, ends: list[tuple[int, float]]) -> None:
    backoff = Backoff()
    for exit_code, ran_s in ends:
        delay_s, backoff = decide(RestartPolicy(mode=mode), backoff, Exit(exit_code, ran_s))
        assert delay_s is None or FIRST_DELAY_S <= delay_s <= LONGEST_DELAY_S
        assert delay_s != FIRST_DELAY_S or backoff.attempts >= 1
