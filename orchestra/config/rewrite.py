"""Apply the rules of one table column to a tree: each attribute's value becomes what its rule says.

A rule sees a value before the rules below it do, so that "./app" is {context: ./app} by the time
the rules of `build.*` run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config.attributes import TABLE
from orchestra.config.problems import Fault
from orchestra.config.tree import Map, Seq
from orchestra.config.treepath import Trie, compile_patterns

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.config.tree import Tree
    from orchestra.model.source import TreePath

    Report = Callable[[TreePath, Fault], None]

_CANONICAL: Trie[Any] = compile_patterns(
    (row.path, row.canonical) for row in TABLE if row.canonical
)
_VALUES: Trie[Any] = compile_patterns((row.path, row.value) for row in TABLE if row.value)
_UNIQUE: Trie[Any] = compile_patterns((row.path, row.unique) for row in TABLE if row.unique)


def to_long_syntax(tree: Tree, report: Report) -> None:
    """Short syntax becomes long syntax, in place."""
    _rewrite(tree, _CANONICAL, (), report)


def settle_values(tree: Tree, report: Report) -> None:
    """Sizes, durations, commands and numbers get the model's spelling, in place."""
    _rewrite(tree, _VALUES, (), report)


def remove_duplicates(tree: Tree) -> None:
    """Of list items that are the same one the last stays, in the place of the first."""
    _visit(tree, _UNIQUE)


def _rewrite(node: Any, rules: Trie[Any], path: TreePath, report: Report) -> None:
    if isinstance(node, dict):
        keys: Any = rules.named if rules.any is None else list(node)
    elif isinstance(node, list) and rules.any is not None:
        keys = range(len(node))
    else:
        return
    for key in keys:
        if isinstance(node, dict) and key not in node:
            continue
        below = rules.step(key)
        value = node[key]
        if below is None or value is None:
            continue
        if below.here is not None:
            try:
                value = node[key] = _in_place(below.here(value), value, node, key)
            except Fault as fault:
                for each in (fault, *fault.others):
                    report((*path, key, *each.at), each)
                continue
        if value.__class__ is not str and (below.named or below.any is not None):
            _rewrite(value, below, (*path, key), report)


def _in_place(rewritten: Any, value: Any, node: Any, key: Any) -> Any:
    """*rewritten*; if a lone *value* became a list, its item stands where the value stood."""
    if value.__class__ is str and isinstance(rewritten, Seq):
        place = node.marks.get(key) if isinstance(node, Map) else None
        rewritten.marks = [] if place is None else [place[1]] * len(rewritten)
    return rewritten


def _visit(node: Any, rules: Trie[Any]) -> None:
    if isinstance(node, dict):
        for key in rules.named if rules.any is None else list(node):
            below = rules.step(key)
            if below is None or key not in node:
                continue
            value = node[key]
            if below.here is not None and isinstance(value, list):
                node[key] = value = _without_repeats(value, below.here)
            _visit(value, below)
    elif isinstance(node, list) and rules.any is not None:
        for item in node:
            _visit(item, rules.any)


def _without_repeats(items: list[Any], identity: Callable[[Any], object]) -> list[Any]:
    places: dict[object, int] = {}
    kept = Seq()
    marks = items.marks if isinstance(items, Seq) and len(items.marks) == len(items) else None
    for index, item in enumerate(items):
        same = identity(item)
        if isinstance(same, (dict, list)):  # the schema will refuse it
            same = None
        place = None if same is None else places.get(same)
        if place is None:
            if same is not None:
                places[same] = len(kept)
            kept.append(item)
            if marks is not None:
                kept.marks.append(marks[index])
        else:
            kept[place] = item
            if marks is not None:
                kept.marks[place] = marks[index]
    return kept if len(kept) < len(items) else items
