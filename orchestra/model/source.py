"""Where a value of a compose file was written."""

from __future__ import annotations

import json
from typing import Protocol

from orchestra.named import NamedTuple

TreePath = tuple[str | int, ...]
"""A place in a compose tree: ("services", "web", "ports", 1)."""


class Position(NamedTuple):
    """A place in a file; *line* and *column* count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class SourceMap(Protocol):
    """Tree path -> Position, for one tree."""

    def value(self, path: TreePath) -> Position | None:
        """Where the value at *path* begins; its nearest known parent's place otherwise."""
        ...

    def key(self, path: TreePath) -> Position | None:
        """Where the key that *path* ends with was written; as `value` for list items."""
        ...

    def line(self, position: Position) -> str:
        """The text of that line, "" when the file is not at hand."""
        ...


def spell_path(path: TreePath) -> str:
    """*path* as people write it: services.web.ports[1]; keys with dots are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            quoted = not part or not part.isprintable() or "." in part or "[" in part
            name = json.dumps(part) if quoted else part
            text += f".{name}" if text else name
    return text
