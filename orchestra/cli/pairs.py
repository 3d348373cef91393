"""Flags of the form KEY=VALUE, as the Docker CLI reads them."""

from __future__ import annotations

from orchestra.cli.flags import UsageError
from orchestra.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def pairs_of(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`--opt`, `--label`: the last of a key counts; a key alone has an empty value.

    Raises ConfigError for one without a key.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not key.strip():
            raise ConfigError(f'"{text}" has no key', fix="write KEY=VALUE")
        found[key.strip()] = value
    return tuple(found.items())


def comma_separated(texts: Iterable[str]) -> tuple[str, ...]:
    """Flags that may be given again and hold several values each."""
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


def csv_parts(flag: str, text: str) -> list[str]:
    """The parts of a value that is a line of CSV, such as of `--mount`. Raises UsageError."""
    import csv

    try:
        return next(csv.reader([text]), [])
    except csv.Error as exc:
        raise UsageError(
            f"--{flag}: {text!r} cannot be read: {exc}", fix="write KEY=VALUE,…"
        ) from exc
