"""Times as people say them, in Docker's words."""

from __future__ import annotations

from time import localtime, strftime

NS = 1_000_000_000

_HOUR_STEPS = ((48, 1, "hours"), (24 * 14, 24, "days"), (24 * 60, 24 * 7, "weeks"))
_LONG_STEPS = ((24 * 365 * 2, 24 * 30, "months"),)


def human_duration(seconds: float) -> str:
    """As "About a minute" or "3 weeks"."""
    whole = int(seconds)
    minutes = whole // 60
    hours = int(seconds / 3600 + 0.5)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours == 1:
        return "About an hour"
    for below, unit, noun in (*_HOUR_STEPS, *_LONG_STEPS):
        if hours < below:
            return f"{hours // unit} {noun}"
    return f"{int(seconds / 3600) // 24 // 365} years"


def ago(then_ns: int, now_ns: int) -> str:
    return f"{human_duration(max(0, now_ns - then_ns) / NS)} ago"


def go_time(then_ns: int) -> str:
    """As Go prints a time: "2026-08-20 18:57:02 +0200 CEST"."""
    return strftime("%Y-%m-%d %H:%M:%S %z %Z", localtime(then_ns // NS))


def rfc3339_nano(then_ns: int) -> str:
    """UTC with all nine digits, as `logs --timestamps` prints it."""
    from time import gmtime

    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(then_ns // NS))}.{then_ns % NS:09d}Z"


def rfc3339(then_ns: int) -> str:
    """Whole seconds in this machine's zone: "2026-08-20T18:57:02+02:00", "…Z" for UTC."""
    return strftime("%Y-%m-%dT%H:%M:%S", localtime(then_ns // NS)) + _zone(then_ns)


def rfc3339_local_nano(then_ns: int) -> str:
    """The same with nanoseconds, zeros at the end left out, as Go writes it."""
    fraction = f".{then_ns % NS:09d}".rstrip("0").rstrip(".")
    return strftime("%Y-%m-%dT%H:%M:%S", localtime(then_ns // NS)) + fraction + _zone(then_ns)


def go_time_nano(then_ns: int) -> str:
    """As Go prints a time with nanoseconds: "2026-08-20 18:57:02.5 +0200 CEST"."""
    fraction = f".{then_ns % NS:09d}".rstrip("0").rstrip(".")
    when = localtime(then_ns // NS)
    return strftime("%Y-%m-%d %H:%M:%S", when) + fraction + strftime(" %z %Z", when)


def _zone(then_ns: int) -> str:
    zone = strftime("%z", localtime(then_ns // NS))
    return "Z" if zone in ("+0000", "") else f"{zone[:3]}:{zone[3:]}"
