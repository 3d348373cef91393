"""Patterns over tree paths, compiled to a trie that is walked beside the tree.

"services.*.ports" has "*" for any key or any list index. A walk descends only where some pattern
can still match, so a pass costs what its own attributes cost, not the size of the tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.source import TreePath

T = TypeVar("T")


class Trie(Generic[T]):
    """One step of all patterns: what matches here, and where each next step leads."""

    __slots__ = ("any", "here", "named")

    def __init__(self) -> None:
        self.here: T | None = None
        self.named: dict[str | int, Trie[T]] = {}
        self.any: Trie[T] | None = None

    def step(self, key: str | int) -> Trie[T] | None:
        """The trie below *key*; an exact name comes before "*"."""
        return self.named.get(key, self.any)

    def find(self, path: TreePath) -> T | None:
        """What matches the whole of *path*."""
        node: Trie[T] | None = self
        for key in path:
            if node is None:
                return None
            node = node.step(key)
        return None if node is None else node.here


def compile_patterns(rules: Iterable[tuple[str, T]]) -> Trie[T]:
    """The trie of (pattern, rule) pairs."""
    root: Trie[T] = Trie()
    for pattern, rule in rules:
        node = root
        for step in pattern.split("."):
            if step == "*":
                if node.any is None:
                    node.any = Trie()
                node = node.any
            else:
                node = node.named.setdefault(step, Trie())
        node.here = rule
    return root
