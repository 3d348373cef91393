from __future__ import annotations

import pytest

from orchestra.cli.render.duration import ago, human_duration, rfc3339_nano

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (59 * MINUTE, "59 minutes"),
        (HOUR, "About an hour"),
        (1.4 * HOUR, "About an hour"),
        (1.5 * HOUR, "2 hours"),
        (47 * HOUR, "47 hours"),
        (48 * HOUR, "2 days"),
        (13 * DAY, "13 days"),
        (14 * DAY, "2 weeks"),
        (59 * DAY, "8 weeks"),
        (60 * DAY, "2 months"),
        (729 * DAY, "24 months"),
        (731 * DAY, "2 years"),
    ],
)
def test_durations_in_docker_s_words(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_a_clock_that_went_back_is_no_negative_age() -> None:
    assert ago(2_000_000_000, 1_000_000_000) == "Less than a second ago"


def test_log_times_have_nine_digits() -> None:
    assert rfc3339_nano(1_700_000_000_000_000_042) == "2023-11-14T22:13:20.000000042Z"
