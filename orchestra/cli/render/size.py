"""Sizes as people say them, in Docker's words: decimal units, three digits."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def human_size(size_bytes: int, *, digits: int = 3) -> str:
    """As "1.98MB", or "1.982MB" with four digits."""
    size = float(size_bytes)
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.{digits}g}{_UNITS[unit]}"


_BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def binary_size(size_bytes: int) -> str:
    """As "1.498MiB": powers of 1024, four digits, as Docker tells of memory."""
    size = float(size_bytes)
    unit = 0
    while size >= 1024 and unit < len(_BINARY_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.4g}{_BINARY_UNITS[unit]}"
