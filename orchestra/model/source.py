"""Where a value of a compose file was written."""

from __future__ import annotations

from typing import NamedTuple

TreePath = tuple[str | int, ...]
"""A place in a compose tree: ("services", "web", "ports", 1)."""


class Position(NamedTuple):
    """A place in a file; *line* and *column* count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
