from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from orchestra.cli.flags import UsageError
from orchestra.cli.moment import moment_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND


@pytest.fixture(autouse=True)
def _two_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "EET-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", 0),
        ("42m", NOW - 42 * 60 * SECOND),
        ("1h30m", NOW - 5400 * SECOND),
        ("1.5s", NOW - 3 * SECOND // 2),
        ("250ms", NOW - SECOND // 4),
        ("1700000000", 1_700_000_000 * SECOND),
        ("1700000000.25", 1_700_000_000 * SECOND + SECOND // 4),
        ("2023-11-14T22:13:20Z", 1_700_000_000 * SECOND),
        ("2023-11-14T22:13:20.000000042Z", 1_700_000_000 * SECOND + 42),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000 * SECOND),
        ("2023-11-15T00:13:20", 1_700_000_000 * SECOND),
        ("2023-11-15", (1_700_000_000 - 800) * SECOND),
    ],
)
def test_a_moment_may_be_written_as_docker_takes_it(text: str, moment: int) -> None:
    assert moment_ns(text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "-5m", "5x", "2023-13-01", "10:00"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        moment_ns(text, NOW)
