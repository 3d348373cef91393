from __future__ import annotations

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orchestra.engine.embedded import health
from orchestra.engine.embedded.health import HealthTrack
from orchestra.model.container import HealthCheck
from orchestra.model.state import Health

CHECK = HealthCheck(
    test=("CMD", "true"), interval_s=10, start_period_s=25, start_interval_s=1, retries=3
)


def test_first_success_is_healthy_and_ends_the_start_period() -> None:
    track = health.after_probe(CHECK, HealthTrack(0.0), 1.0, succeeded=True)
    assert track.status == Health.HEALTHY
    assert health.next_delay_s(CHECK, track, 1.0) == 10


def test_failures_in_the_start_period_do_not_count() -> None:
    track = HealthTrack(0.0)
    for second in range(1, 25):
        track = health.after_probe(CHECK, track, float(second), succeeded=False)
    assert track == HealthTrack(0.0)


def test_checks_are_dense_in_the_start_period_only() -> None:
    assert health.next_delay_s(CHECK, HealthTrack(0.0), 24.9) == 1
    assert health.next_delay_s(CHECK, HealthTrack(0.0), 25.0) == 10


def test_start_interval_counts_as_given_also_when_it_is_the_longer_one() -> None:
    check = msgspec.structs.replace(CHECK, interval_s=1, start_interval_s=7)
    assert health.next_delay_s(check, HealthTrack(0.0), 1.0) == 7
    assert health.next_delay_s(check, HealthTrack(0.0), 25.0) == 1


def test_without_a_start_interval_it_is_five_seconds_or_the_interval() -> None:
    check = msgspec.structs.replace(CHECK, start_interval_s=0)
    assert health.next_delay_s(check, HealthTrack(0.0), 1.0) == 5
    check = msgspec.structs.replace(check, interval_s=2)
    assert health.next_delay_s(check, HealthTrack(0.0), 1.0) == 2


def test_retries_failures_in_a_row_are_unhealthy() -> None:
    track = HealthTrack(0.0)
    for second in (30.0, 40.0):
        track = health.after_probe(CHECK, track, second, succeeded=False)
        assert track.status == Health.STARTING
    track = health.after_probe(CHECK, track, 50.0, succeeded=False)
    assert (track.status, track.failing_streak) == (Health.UNHEALTHY, 3)
    assert health.after_probe(CHECK, track, 60.0, succeeded=True).status == Health.HEALTHY


def test_zero_is_the_default() -> None:
    check = HealthCheck(test=("CMD", "true"), interval_s=0, timeout_s=0, start_interval_s=0)
    assert health.next_delay_s(check, HealthTrack(0.0), 0.0) == 30
    assert health.timeout_s(check) == 30


def test_shell_form_goes_through_the_shell() -> None:
    assert health.probe_argv(HealthCheck(test=("CMD-SHELL", "exit 0"))) == (
        "/bin/sh",
        "-c",
        "exit 0",
    )
    assert health.probe_argv(HealthCheck(test=("CMD", "curl", "-f"))) == ("curl", "-f")


def test_none_switches_the_check_off() -> None:
    assert not health.is_enabled(HealthCheck(test=("NONE",)))
    assert not health.is_enabled(None)
    assert health.is_enabled(CHECK)


class HealthMachine(RuleBasedStateMachine):
    """Any sequence of verdicts at any times keeps the rules."""

    @initialize(retries=st.integers(1, 4), start_period_s=st.sampled_from([0.0, 5.0, 100.0]))
    def begin(self, retries: int, start_period_s: float) -> None:
        self.check = HealthCheck(
            test=("CMD", "x"), interval_s=2, start_period_s=start_period_s, retries=retries
        )
        self.track = HealthTrack(0.0)
        self.now_s = 0.0
        self.failures = 0

    @rule(after_s=st.floats(0, 10), succeeded=st.booleans())
    def probe(self, after_s: float, *, succeeded: bool) -> None:
        self.now_s += after_s
        counts = not health.in_start_period(self.check, self.track, self.now_s)
        before = self.track
        self.track = health.after_probe(self.check, before, self.now_s, succeeded=succeeded)
        if succeeded:
            self.failures = 0
            assert self.track.status == Health.HEALTHY
        elif counts:
            self.failures += 1
        else:
            assert self.track == before

    @invariant()
    def streak_is_the_failures_in_a_row(self) -> None:
        assert self.track.failing_streak == self.failures
        assert (self.track.status == Health.UNHEALTHY) == (self.failures >= self.check.retries)

    @invariant()
    def the_next_check_comes(self) -> None:
        delay_s = health.next_delay_s(self.check, self.track, self.now_s)
        assert 0 < delay_s <= self.check.interval_s


TestHealthMachine = HealthMachine.TestCase
