"""`--filter KEY=VALUE` of `volume` and `network`: text to tests on one object. Pure.

As with Docker, several values of a key are alternatives, but for `label`, where all must be there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.named import NamedTuple
from orchestra.ops.image_filters import TRUTH, labels_match, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class ObjectFilters(NamedTuple):
    """The values that were given for each key; a key without any lets everything through."""

    values: Mapping[str, tuple[str, ...]] = {}

    def any_passes(self, key: str, test: Callable[[str], bool]) -> bool:
        """Does one of the values of *key* pass, or is there none?"""
        values = self.values.get(key, ())
        return not values or any(map(test, values))

    def labels_pass(self, labels: Mapping[str, str]) -> bool:
        """All of `label`, none of `label!`."""
        return labels_match(labels, self.values.get("label", ()), self.values.get("label!", ()))

    def truth(self, key: str) -> bool | None:
        """The last value of a boolean key; None when it was not given."""
        values = self.values.get(key, ())
        return TRUTH[values[-1]] if values else None

    def older_than(self, created_ns: int, now_ns: int) -> bool:
        """Is what was made at *created_ns* older than every `until`?"""
        return all(created_ns < parse_moment(text, now_ns) for text in self.values.get("until", ()))


BOOLEAN = frozenset({"dangling", "all"})


def parse_object_filters(texts: Iterable[str], allowed: tuple[str, ...]) -> ObjectFilters:
    """*texts* as "KEY=VALUE". Raises ConfigError for a key that is not *allowed* and bad values."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip().lower()
        if not equals:
            raise ConfigError(f'invalid filter "{text}"', fix="write KEY=VALUE")
        if key not in allowed:
            raise ConfigError(f"invalid filter '{key}'", fix="there are " + ", ".join(allowed))
        if key in BOOLEAN and value not in TRUTH:
            raise ConfigError(f"invalid filter '{key}={value}'", fix="write true or false")
        if key == "until":
            parse_moment(value, 0)
        found[key] = (*found.get(key, ()), value)
    return ObjectFilters(found)


def name_passes(name: str) -> Callable[[str], bool]:
    """A test of patterns: those that are contained in *name* or match in it, as Docker's."""

    def test(pattern: str) -> bool:
        try:
            return pattern in name or re.search(pattern, name) is not None
        except re.error:
            return False

    return test
