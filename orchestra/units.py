"""Bytes, durations and CPUs: parsed from what people write, formatted as Docker prints them.

Every parser raises ValueError with a sentence that names the text. This module imports only `re`.
"""

from __future__ import annotations

import re

_BYTES = re.compile(r"(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}

_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_INT64_MAX = 2**63 - 1


def parse_bytes(text: str) -> int:
    """Bytes in *text*: "512m", "1.5 GiB", "1024"; factors are powers of 1024. "-1" is allowed."""
    try:
        return _int64(int(text), text) if text.lstrip("+-").isdecimal() else _scaled(text)
    except OverflowError as exc:
        raise ValueError(f'"{text}" is too large a size') from exc


def _scaled(text: str) -> int:
    match = _BYTES.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not a size such as "512m" or "2gb"')
    number, unit = match.groups()
    factor = 1024 ** _POWERS[(unit or "").lower()]
    whole, _, fraction = number.partition(".")
    scaled = int(whole) * factor
    if fraction:
        scaled += int(fraction) * factor // 10 ** len(fraction)
    return _int64(scaled, text)


def _int64(value: int, text: str) -> int:
    if abs(value) > _INT64_MAX:
        raise ValueError(f'"{text}" is too large a size')
    return value


def format_bytes(size: int) -> str:
    """*size* as a multiple of the largest unit that divides it: 1536 is "1536b", 2048 "2k"."""
    for unit in "pgtmk":
        factor = 1024 ** _POWERS[unit]
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}b"


def parse_duration_ns(text: str) -> int:
    """Nanoseconds in *text*: "1m30s", "1.5h", "500ms", "2d", "0"; a sign is allowed."""
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return 0
    position = total = 0
    for part in _DURATION_PART.finditer(rest):
        if part.start() != position:
            break
        position = part.end()
        number, unit = part.groups()
        whole, _, fraction = number.partition(".")
        factor = _NANOSECONDS[unit]
        total += int(whole or 0) * factor
        if fraction:
            total += int(fraction) * factor // 10 ** len(fraction)
    if not rest or position != len(rest):
        raise ValueError(f'"{text}" is not a duration such as "30s" or "1m30s"')
    if total > _INT64_MAX:
        raise ValueError(f'"{text}" is too long a duration')
    return -total if text[0] == "-" else total


def format_duration_ns(duration_ns: int) -> str:
    """As Go prints a time.Duration: "1h0m0s", "1m30s", "1.5s", "500ms", "0s"."""
    if duration_ns == 0:
        return "0s"
    sign = "-" if duration_ns < 0 else ""
    rest = abs(duration_ns)
    if rest < 1_000_000_000:
        for unit in ("ms", "µs", "ns"):
            if rest >= _NANOSECONDS[unit]:
                return f"{sign}{_decimal(rest, _NANOSECONDS[unit])}{unit}"
    seconds, below = divmod(rest, 1_000_000_000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    tail = _decimal(seconds * 1_000_000_000 + below, 1_000_000_000)
    if hours:
        return f"{sign}{hours}h{minutes}m{tail}s"
    return f"{sign}{minutes}m{tail}s" if minutes else f"{sign}{tail}s"


def _decimal(value: int, factor: int) -> str:
    whole, fraction = divmod(value, factor)
    digits = str(fraction).rjust(len(str(factor)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if fraction else str(whole)


def parse_cpus_nanos(text: str) -> int:
    """Billionths of a CPU in *text*: "1.5" is 1_500_000_000."""
    match = re.fullmatch(r"(\d*)(?:\.(\d*))?", text.strip())
    if match is None or not any(match.groups()):
        raise ValueError(f'"{text}" is not a number of CPUs such as "0.5"')
    whole, fraction = match.groups()
    return int(whole or 0) * 1_000_000_000 + int((fraction or "").ljust(9, "0")[:9])


def format_cpus_nanos(nanos: int) -> str:
    """The shortest decimal: 1_500_000_000 is "1.5"."""
    return _decimal(nanos, 1_000_000_000)


def says_yes(text: str) -> bool:
    """Whether the value of a variable means true, as Docker Compose reads COMPOSE_… ones."""
    return text.strip().lower() in ("1", "t", "true", "y", "yes")
