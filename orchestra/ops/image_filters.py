"""`--filter` of `image ls` and the prune commands: text to tests on images. Pure."""

from __future__ import annotations

import datetime
import fnmatch
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, OrchestraError
from orchestra.named import NamedTuple
from orchestra.units import parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

TRUTH = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}
"""The words of a boolean filter. Go: strconv.ParseBool."""


class Filters(NamedTuple):
    """What was asked for; a None is open. Of several labels all must be there."""

    dangling: bool | None = None
    labels: tuple[str, ...] = ()
    without_labels: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    before: str | None = None
    since: str | None = None
    until_ns: int | None = None

    def label_match(self, labels: Mapping[str, str]) -> bool:
        return labels_match(labels, self.labels, self.without_labels)

    def name_matches(self, repository: str, tag: str) -> bool:
        """Docker matches the pattern with the name and with the name and tag."""
        return not self.references or any(
            _matches(pattern, text)
            for pattern in self.references
            for text in (repository, f"{repository}:{tag}")
        )


def parse_filters(texts: Iterable[str], allowed: tuple[str, ...], now_ns: int) -> Filters:
    """*texts* as "KEY=VALUE". Raises ConfigError for a key that is not *allowed* and bad values."""
    found = Filters()
    for text in texts:
        key, equals, value = text.partition("=")
        name, negated = (key[:-1], True) if key.endswith("!") else (key, False)
        if not equals:
            raise ConfigError(f'invalid filter "{text}"', fix="write KEY=VALUE")
        if name not in allowed or (negated and name != "label"):
            raise ConfigError(f"invalid filter '{key}'", fix="there are " + ", ".join(allowed))
        found = _READERS["label!" if negated else name](found, value, now_ns)
    return found


def _with_dangling(filters: Filters, value: str, _now_ns: int) -> Filters:
    if value not in TRUTH:
        raise ConfigError(
            f"invalid value \"{value}\" of the filter 'dangling'", fix="true or false"
        )
    return filters._replace(dangling=TRUTH[value])


def _with_until(filters: Filters, value: str, now_ns: int) -> Filters:
    return filters._replace(until_ns=parse_moment(value, now_ns))


def parse_moment(text: str, now_ns: int) -> int:
    """A duration before now ("24h"), seconds since 1970, or RFC 3339. Raises ConfigError."""
    if text.replace(".", "", 1).isdecimal():
        return int(float(text) * 1e9)
    try:
        return now_ns - parse_duration_ns(text)
    except (ValueError, OrchestraError):
        pass
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f'"{text}" is no time', fix="write 24h, or 2026-08-20T18:00:00") from exc
    return int(moment.timestamp() * 1e9)


_READERS: dict[str, Callable[[Filters, str, int], Filters]] = {
    "dangling": _with_dangling,
    "until": _with_until,
    "label": lambda filters, value, _: filters._replace(labels=(*filters.labels, value)),
    "label!": lambda filters, value, _: filters._replace(
        without_labels=(*filters.without_labels, value)
    ),
    "reference": lambda filters, value, _: filters._replace(
        references=(*filters.references, value)
    ),
    "before": lambda filters, value, _: filters._replace(before=value),
    "since": lambda filters, value, _: filters._replace(since=value),
}


def labels_match(labels: Mapping[str, str], wanted: Iterable[str], unwanted: Iterable[str]) -> bool:
    """Has *labels* all of *wanted*, and none of *unwanted*? Each is KEY or KEY=VALUE."""
    return all(_has(labels, text) for text in wanted) and not any(
        _has(labels, text) for text in unwanted
    )


def _has(labels: Mapping[str, str], text: str) -> bool:
    key, equals, value = text.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _matches(pattern: str, text: str) -> bool:
    """As Go's path.Match: `*` does not reach over a slash."""
    patterns, parts = pattern.split("/"), text.split("/")
    return len(patterns) == len(parts) and all(map(fnmatch.fnmatchcase, parts, patterns))
