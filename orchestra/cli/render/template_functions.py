"""The functions of `--format`: those of Go's text/template that serve, and the Docker CLI's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from orchestra.cli.render.template_syntax import refused
from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NO_VALUE = "<no value>"
_VERB = re.compile(r"%(-?\d*(?:\.\d+)?)([a-zA-Z%])")


def call(name: str, arguments: Sequence[object]) -> object:
    """Raises ConfigError for an unknown function or arguments that do not fit it."""
    function = _FUNCTIONS.get(name)
    if function is None:
        raise refused(f'function "{name}"')
    try:
        return function(*arguments)
    except (TypeError, ValueError, LookupError) as exc:
        raise ConfigError(f'template: wrong arguments for "{name}": {exc}') from exc


def shown(value: object) -> str:
    """*value* as Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + " ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
    return str(value)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _join(items: object, separator: str) -> str:
    return separator.join(map(shown, items)) if isinstance(items, list | tuple) else str(items)


def _pad(text: object, before: int, after: int) -> str:
    return " " * before + str(text) + " " * after if text else ""


def _index(value: object, *keys: object) -> object:
    """A map without the key gives "", as Go gives the zero value."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, "")
        elif isinstance(value, list | tuple | str) and isinstance(key, int) and key >= 0:
            value = value[key]
        else:
            raise TypeError(f"cannot index {shown(value)} by {shown(key)}")
    return value


def _printf(layout: str, *values: object) -> str:
    """The verbs s, v, d, q and t, with a width."""
    left = list(values)

    def one(match: re.Match[str]) -> str:
        width, verb = match.groups()
        if verb == "%":
            return "%"
        if verb not in "svdqt" or not left:
            raise ValueError(f"{match.group()} is not supported, or has no value")
        value = left.pop(0)
        text = json.dumps(value, ensure_ascii=False) if verb == "q" else shown(value)
        return f"%{width}s" % text

    return _VERB.sub(one, layout)


def _and(*values: object) -> object:
    return next((value for value in values if not value), values[-1])


def _or(*values: object) -> object:
    return next((value for value in values if value), values[-1])


def _ordered(one: object, other: object) -> int:
    """-1, 0 or 1. Raises TypeError unless both are numbers or both are strings."""
    if isinstance(one, str) and isinstance(other, str):
        return (one > other) - (one < other)
    if isinstance(one, int) and isinstance(other, int):
        return (one > other) - (one < other)
    raise TypeError("incompatible types for comparison")


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "json": _json,
    "upper": lambda text: str(text).upper(),
    "lower": lambda text: str(text).lower(),
    "title": lambda text: str(text).title(),
    "join": _join,
    "split": lambda text, separator: str(text).split(separator),
    "pad": _pad,
    "truncate": lambda text, length: str(text)[:length],
    "len": len,
    "index": _index,
    "print": lambda *values: "".join(map(shown, values)),
    "println": lambda *values: " ".join(map(shown, values)) + "\n",
    "printf": _printf,
    "eq": lambda one, *others: one in others,
    "ne": lambda one, other: one != other,
    "lt": lambda one, other: _ordered(one, other) < 0,
    "le": lambda one, other: _ordered(one, other) <= 0,
    "gt": lambda one, other: _ordered(one, other) > 0,
    "ge": lambda one, other: _ordered(one, other) >= 0,
    "not": lambda value: not value,
    "and": _and,
    "or": _or,
}
