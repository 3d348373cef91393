from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra import units


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1024", 1024),
        ("-1", -1),
        ("1b", 1),
        ("1k", 1024),
        ("1KB", 1024),
        ("1 KiB", 1024),
        ("64m", 64 << 20),
        ("1.5g", 3 << 29),
        ("2Ti", 2 << 40),
        ("1p", 1 << 50),
    ],
)
def test_sizes_are_powers_of_1024_in_any_case(text: str, size: int) -> None:
    assert units.parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "m", "1x", "1.k", "-5m", "1 0", "9" * 30, "9999999p", "1_0"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="size"):
        units.parse_bytes(text)


@given(st.integers(0, 2**62))
def test_a_formatted_size_reads_back(size: int) -> None:
    assert units.parse_bytes(units.format_bytes(size)) == size


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("1s", 10**9),
        ("1m30s", 90 * 10**9),
        ("1.5h", 5400 * 10**9),
        ("500ms", 5 * 10**8),
        ("10us", 10**4),
        ("7ns", 7),
        ("2d", 172800 * 10**9),
        ("1w", 604800 * 10**9),
        ("-1s", -(10**9)),
        ("+1s", 10**9),
        (".5s", 5 * 10**8),
    ],
)
def test_durations_are_gos_and_days_and_weeks(text: str, nanoseconds: int) -> None:
    assert units.parse_duration_ns(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "s", "1x", "1s2", "1 s", "99999999w", "-"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        units.parse_duration_ns(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (10**9, "1s"),
        (90 * 10**9, "1m30s"),
        (3600 * 10**9, "1h0m0s"),
        (15 * 10**8, "1.5s"),
        (5 * 10**8, "500ms"),
        (1500, "1.5µs"),
        (1, "1ns"),
        (-(10**9), "-1s"),
    ],
)
def test_durations_are_printed_as_go_prints_them(nanoseconds: int, text: str) -> None:
    assert units.format_duration_ns(nanoseconds) == text


@given(st.integers(-(2**62), 2**62))
def test_a_formatted_duration_reads_back(nanoseconds: int) -> None:
    assert units.parse_duration_ns(units.format_duration_ns(nanoseconds)) == nanoseconds


@given(st.integers(0, 10**15))
def test_formatted_cpus_read_back(nanos: int) -> None:
    assert units.parse_cpus_nanos(units.format_cpus_nanos(nanos)) == nanos


@pytest.mark.parametrize("text", ["", ".", "x", "-1", "1.2.3"])
def test_what_is_no_number_of_cpus_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="CPUs"):
        units.parse_cpus_nanos(text)
