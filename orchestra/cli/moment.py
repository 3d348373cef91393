"""Points in time as `--since` and `--until` take them."""

from __future__ import annotations

import re

from orchestra.cli.flags import UsageError

NS = 1_000_000_000
_UNITS = {"h": 3600 * NS, "m": 60 * NS, "s": NS, "ms": 1_000_000, "us": 1000, "µs": 1000, "ns": 1}
_PART = re.compile(r"(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)")


def moment_ns(text: str, now_ns: int) -> int:
    """Nanoseconds since the epoch; 0 for "".

    *text* is a duration before *now_ns* ("42m", "1h30m"), seconds since the epoch
    ("1700000000.25"), or an RFC 3339 time or a part of one ("2013-01-02"); without a zone it is
    local time. Raises UsageError.
    """
    if not text:
        return 0
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds, _dot, fraction = text.partition(".")
        return int(seconds) * NS + int(fraction.ljust(9, "0")[:9] or 0)
    if re.fullmatch(f"({_PART.pattern})+", text):
        return now_ns - sum(
            int(float(number) * _UNITS[unit]) for number, unit in _PART.findall(text)
        )
    return _calendar(text)


def _calendar(text: str) -> int:
    from datetime import datetime

    whole, fraction, zone = _split_fraction(text)
    try:
        parsed = datetime.fromisoformat(whole + zone)
    except ValueError:
        raise UsageError(
            f'invalid time "{text}"',
            fix="use a duration such as 42m, or a time such as 2026-01-02T15:04:05Z",
        ) from None
    return int(parsed.timestamp()) * NS + int(fraction.ljust(9, "0")[:9] or 0)


def _split_fraction(text: str) -> tuple[str, str, str]:
    """Date and time to the second, the digits after the point, and the zone."""
    match = re.fullmatch(r"(.*?\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?", text)
    if match is None:
        return text, "", ""
    whole, fraction, zone = match.groups()
    if zone and "T" not in whole.upper() and " " not in whole:
        return text, "", ""
    return whole, fraction or "", zone or ""
