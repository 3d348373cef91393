"""The tree of a compose file: dicts and lists that remember where each entry was written.

Marks travel with the containers, so that merging, extending and including keep the place of
whichever value won, without any bookkeeping of paths. A pass may put plain dicts and lists (say,
from a short syntax) into a tree: what lies in them has the place of the entry that holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from orchestra.model.source import Position

if TYPE_CHECKING:
    from orchestra.model.source import TreePath

Tree = dict[str, Any]


class Mark(Protocol):
    """What the YAML parser leaves with a node; *line* and *column* count from 0."""

    name: str
    line: int
    column: int


class Map(dict[str, Any]):
    """A mapping; *marks* has for each key where it and its value begin."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[str, tuple[Mark, Mark]] = {}


class Seq(list[Any]):
    """A sequence; *marks* runs parallel to the items as long as a pass did not change them."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[Mark] = []


def put(target: Tree, key: str, value: Any, source: Tree, source_key: str | None = None) -> None:
    """target[key] = value, with the place that *source* has for it."""
    target[key] = value
    if isinstance(target, Map) and isinstance(source, Map):
        marks = source.marks.get(source_key if source_key is not None else key)
        if marks is not None:
            target.marks[key] = marks


def copy_tree(value: Any) -> Any:
    """A deep copy that shares scalars and marks, and nothing else."""
    if isinstance(value, dict):
        copied: Tree = {}
        if isinstance(value, Map):
            copied = Map()
            copied.marks = dict(value.marks)
        for key, item in value.items():
            copied[key] = copy_tree(item) if isinstance(item, (dict, list)) else item
        return copied
    if isinstance(value, list):
        items = Seq()
        if isinstance(value, Seq):
            items.marks = list(value.marks)
        items.extend(copy_tree(item) if isinstance(item, (dict, list)) else item for item in value)
        return items
    return value


def plain(value: Any) -> Any:
    """The same tree of ordinary dicts and lists."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


class TreeSources:
    """The SourceMap of a tree: reads the marks that its containers carry."""

    def __init__(self, tree: Tree, texts: dict[str, str] | None = None) -> None:
        self._tree = tree
        self._texts = texts if texts is not None else {}

    def value(self, path: TreePath) -> Position | None:
        """Where the value at *path* begins; its nearest known parent's place otherwise."""
        return self._find(path, key=False)

    def key(self, path: TreePath) -> Position | None:
        """Where the last key of *path* was written; as `value` for list items."""
        return self._find(path, key=True)

    def line(self, position: Position) -> str:
        """The text of that line, "" when the file is not at hand."""
        lines = self._texts.get(position.file, "").splitlines()
        return lines[position.line - 1] if 0 < position.line <= len(lines) else ""

    def _find(self, path: TreePath, *, key: bool) -> Position | None:
        found: Mark | None = None
        current: Any = self._tree
        last = len(path) - 1
        for index, part in enumerate(path):
            if isinstance(current, Map) and isinstance(part, str) and part in current.marks:
                found = current.marks[part][0 if key and index == last else 1]
            elif isinstance(current, Seq) and isinstance(part, int):
                found = current.marks[part] if part < len(current.marks) else found
            try:
                current = current[part]
            except (KeyError, IndexError, TypeError):
                break
        return None if found is None else position_of(found)


def position_of(mark: Mark) -> Position:
    return Position(mark.name, mark.line + 1, mark.column + 1)
