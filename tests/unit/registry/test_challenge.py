"""WWW-Authenticate, and the pauses between attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.errors import AuthRequired
from orchestra.registry.challenge import Challenge, parse_challenges
from orchestra.registry.failures import Transient, retry_after_s
from orchestra.registry.retry import Backoff


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="a, b=c"', [("basic", {"realm": "a, b=c"})]),
        (
            'Bearer realm="https://auth/token",service="reg",scope="repository:a:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://auth/token",
                        "service": "reg",
                        "scope": "repository:a:pull,push",
                    },
                )
            ],
        ),
        (
            'Negotiate, Basic REALM = x, Bearer realm="a\\"b"',
            [("negotiate", {}), ("basic", {"realm": "x"}), ("bearer", {"realm": 'a"b'})],
        ),
        ('realm="lost"', []),
    ],
)
def test_challenges_are_read_as_they_are_written(
    header: str, challenges: list[tuple[str, dict[str, str]]]
) -> None:
    assert parse_challenges(header) == tuple(Challenge(*each) for each in challenges)


@given(st.text(max_size=200))
def test_any_header_is_read(header: str) -> None:
    parse_challenges(header)


def test_pauses_grow_up_to_a_limit() -> None:
    backoff = Backoff(attempts=8, first_s=1, longest_s=10)
    error = Transient("broke")
    assert [backoff.delay_s(error, n, 0.5) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert backoff.delay_s(error, 8, 0.5) is None


def test_pauses_are_spread() -> None:
    error = Transient("broke")
    assert Backoff(first_s=4).delay_s(error, 1, 0.0) == 3
    assert Backoff(first_s=4).delay_s(error, 1, 1.0) == 5


def test_a_registry_may_ask_for_more_within_reason() -> None:
    backoff = Backoff(first_s=1, patience_s=60)
    assert backoff.delay_s(Transient("busy", retry_after_s=30), 1, 0.5) == 30
    assert backoff.delay_s(Transient("busy", retry_after_s=61), 1, 0.5) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("30", 30), (" 7 ", 7), ("-3", None), ("soon", None), ("", None), ("1e3", None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30), ("Wednesday, 21-Oct-15 07:29:00 GMT", 60),
        ("Wed Oct 21 07:28:05 2015", 5), ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
        ("Wed, 99 Oct 2015 99:28:30 GMT", None), ("9" * 5000, 999_999_999_999),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    headers = {"Retry-After": text, "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after_s(headers) == seconds


def test_a_date_without_that_of_the_answer_is_compared_with_the_clock() -> None:
    assert retry_after_s({"Retry-After": "Thu, 01 Jan 1970 00:01:00 GMT"}, 50.0) == 10


def test_what_will_not_pass_is_not_tried_again() -> None:
    assert Backoff().delay_s(AuthRequired("no"), 1, 0.5) is None
