"""Two trees -> one: the later file's values over the earlier file's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from orchestra.config.attributes import TABLE
from orchestra.config.merge_rules import append, joined, listed, spell
from orchestra.config.problems import Fault, problem
from orchestra.config.tree import Map, Seq, Tree, TreeSources
from orchestra.config.treepath import Trie, compile_patterns

if TYPE_CHECKING:
    from orchestra.config.problems import Problems
    from orchestra.model.source import TreePath

_Base = TypeVar("_Base", bound="Tree")

_RULES: Trie[Any] = compile_patterns((row.path, row.merge) for row in TABLE if row.merge)
_SERVICE = _RULES.named["services"].any


def merge_trees(base: Map, over: Tree, problems: Problems) -> Map:
    """*over* merged into *base*, which is changed and returned."""
    return _Merge(problems, over, ()).mappings(base, over, (), _RULES)


def merge_services(base: Tree, over: Tree, name: str, problems: Problems) -> Tree:
    """The service *over* merged into its extended *base*, which is changed and returned."""
    return _Merge(problems, over, ("services", name)).mappings(base, over, (), _SERVICE)


def merge_at(base: Any, over: Any, path: TreePath, problems: Problems) -> Any:
    """The values of one named resource, both declared at *path*."""
    rules: Trie[Any] | None = _RULES
    for part in path:
        rules = None if rules is None else rules.step(part)
    return _Merge(problems, over if isinstance(over, dict) else {}, path).values(
        base, over, (), rules
    )


class _Merge:
    def __init__(self, problems: Problems, over: Tree, root: TreePath) -> None:
        self._problems = problems
        self._over = over
        self._root = root

    def values(self, base: Any, over: Any, path: TreePath, rules: Trie[Any] | None) -> Any:
        if rules is not None and rules.here is not None:
            try:
                return rules.here(base, over, lambda one, two: self._plainly(one, two, path, rules))
            except Fault as fault:
                self._fault((*path, *fault.at), fault.what, fault.fix)
                return base
        return self._plainly(base, over, path, rules)

    def _plainly(self, base: Any, over: Any, path: TreePath, rules: Trie[Any] | None) -> Any:
        if over is None:
            return base
        if isinstance(base, dict):
            if isinstance(over, dict):
                return self.mappings(base, over, path, rules)
        elif isinstance(base, list):
            if isinstance(over, list):
                return joined(_marked(base), _marked(over))
        elif base is None or not isinstance(over, (dict, list)):
            return over
        self._fault(
            path,
            f"{spell(over)} cannot override {spell(base)}",
            "give it the same form as in the earlier file, or tag it !override",
        )
        return base

    def mappings(self, base: _Base, over: Tree, path: TreePath, rules: Trie[Any] | None) -> _Base:
        """*over* merged into *base*, key by key."""
        marks = base.marks if isinstance(base, Map) else {}
        later = over.marks if isinstance(over, Map) else {}
        for key, value in over.items():
            if key not in base:
                base[key] = value
                if key in later:
                    marks[key] = later[key]
                continue
            below = None if rules is None else rules.step(key)
            earlier = base[key]
            if below is not None and below.here is append:
                earlier, value = listed(earlier, marks.get(key)), listed(value, later.get(key))
            base[key] = self.values(earlier, value, (*path, key), below)
            if key in later and value is not None:
                marks[key] = later[key]
        return base

    def _fault(self, path: TreePath, what: str, fix: str) -> None:
        where = TreeSources(self._over).value(path)
        full = (*self._root, *path)
        self._problems.add(problem(full, what, where, fix))
        self._problems.broken.add(full)


def _marked(items: list[Any]) -> Seq:
    if isinstance(items, Seq):
        return items
    marked = Seq()
    marked.extend(items)
    return marked
