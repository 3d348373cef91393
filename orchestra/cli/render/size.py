"""Sizes as people say them, in Docker's words."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def human_size(size_bytes: int, *, digits: int = 3) -> str:
    """As "1.98MB", or "1.982MB" with four digits: decimal units."""
    return _scaled(size_bytes, 1000, _UNITS, digits)


def binary_size(size_bytes: int) -> str:
    """As "1.498MiB": powers of 1024, four digits, as Docker tells of memory."""
    return _scaled(size_bytes, 1024, _BINARY_UNITS, 4)


def _scaled(size_bytes: int, step: int, units: tuple[str, ...], digits: int) -> str:
    size = float(size_bytes)
    unit = 0
    while size >= step and unit < len(units) - 1:
        size /= step
        unit += 1
    return f"{size:.{digits}g}{units[unit]}"
