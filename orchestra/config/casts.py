"""Text that interpolation leaves -> the type that the attribute has. Each raises Fault."""

from __future__ import annotations

from orchestra.config.problems import Fault

_TRUE = frozenset({"true", "y", "yes", "on"})
_FALSE = frozenset({"false", "n", "no", "off"})
NOT_YAML_1_2 = (_TRUE | _FALSE) - {"true", "false"}


def to_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise Fault(f'expected true or false, found "{text}"')


def to_int(text: str) -> int:
    try:
        return int(text) if "_" not in text else int("x")
    except ValueError as exc:
        raise Fault(f'expected a whole number, found "{text}"') from exc


def to_float(text: str) -> float:
    try:
        return float(text) if "_" not in text else float("x")
    except ValueError as exc:
        raise Fault(f'expected a number, found "{text}"') from exc
