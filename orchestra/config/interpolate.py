"""Variables of every value replaced, then cast to the attribute's type; keys stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config.attributes import TABLE
from orchestra.config.casts import NOT_YAML_1_2, to_bool
from orchestra.config.problems import Fault, problem
from orchestra.config.template import TemplateError, substitute
from orchestra.config.tree import Map, Seq, Tree, position_of
from orchestra.config.treepath import Trie, compile_patterns

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.config.problems import Problems
    from orchestra.config.template import Lookup
    from orchestra.config.tree import Mark
    from orchestra.model.source import Position, TreePath

    Cast = Callable[[str], Any]

_CASTS: Trie[Any] = compile_patterns((row.path, row.cast) for row in TABLE if row.cast)


class Interpolation:
    """One document's pass: what it looks up in, and where its faults and warnings go."""

    def __init__(
        self,
        lookup: Lookup,
        problems: Problems,
        warn: Callable[[str], None],
        texts: dict[str, str],
    ) -> None:
        self._lookup = lookup
        self._problems = problems
        self._warn = warn
        self._texts = texts

    def tree(self, tree: Tree) -> Map:
        """A new tree with values for variables."""
        return self._mapping(tree, (), _CASTS)

    def _mapping(self, node: Tree, path: TreePath, casts: Trie[Any] | None) -> Map:
        result = Map()
        marks = result.marks = node.marks if isinstance(node, Map) else {}
        for key, value in node.items():
            below = None if casts is None else casts.step(key)
            kind = value.__class__
            if kind is str:
                if below is None and "$" not in value:
                    result[key] = value
                else:
                    mark = marks[key][1] if key in marks else None
                    result[key] = self._text(value, (*path, key), below, mark)
            elif kind is Map:
                result[key] = self._mapping(value, (*path, key), below)
            elif kind is Seq:
                result[key] = self._sequence(value, (*path, key), below)
            else:
                result[key] = value
        return result

    def _sequence(self, node: list[Any], path: TreePath, casts: Trie[Any] | None) -> Seq:
        result = Seq()
        marks = result.marks = node.marks if isinstance(node, Seq) else []
        for index, value in enumerate(node):
            below = None if casts is None else casts.step(index)
            kind = value.__class__
            if kind is str:
                mark = marks[index] if index < len(marks) else None
                result.append(self._text(value, (*path, index), below, mark))
            elif kind is Map:
                result.append(self._mapping(value, (*path, index), below))
            elif kind is Seq:
                result.append(self._sequence(value, (*path, index), below))
            else:
                result.append(value)
        return result

    def _text(self, text: str, path: TreePath, casts: Trie[Any] | None, mark: Mark | None) -> Any:
        value = text
        if "$" in text:
            try:
                value = substitute(text, self._lookup, self._unset)
            except TemplateError as exc:
                where = None if mark is None else self._place(mark, text, exc.offset)
                self._problems.add(problem(path, exc.what, where, exc.fix))
                self._problems.broken.add(path)
                return text
        if casts is None or casts.here is None:
            return value
        if casts.here is to_bool and value.lower() in NOT_YAML_1_2:
            self._warn(
                f'"{value}" for boolean is not supported by YAML 1.2, '
                f"please use `{'true' if to_bool(value) else 'false'}`"
            )
        try:
            return casts.here(value)
        except Fault as fault:
            where = None if mark is None else position_of(mark)
            from_variable = f' (from "{text}")' if value != text else ""
            self._problems.add(problem(path, fault.what + from_variable, where, fault.fix))
            self._problems.broken.add(path)
            return text

    def _unset(self, name: str) -> None:
        self._warn(f'The "{name}" variable is not set. Defaulting to a blank string.')

    def _place(self, mark: Mark, text: str, offset: int) -> Position:
        """Where the variable *offset* characters into *text* stands in the file."""
        where = position_of(mark)
        if offset > len(text):
            return where
        needle = text[offset:].split("\n", 1)[0][:20]
        earlier = text.count(needle, 0, offset)
        lines = self._texts.get(mark.name, "").split("\n")
        row, column = mark.line, mark.column
        while row < len(lines):
            found = lines[row].find(needle, column)
            if found < 0:
                row, column = row + 1, 0
            elif earlier:
                earlier, column = earlier - 1, found + 1
            else:
                return where._replace(line=row + 1, column=found + 1)
        return where


def interpolate_text(text: str, lookup: Lookup, warn: Callable[[str], None]) -> str:
    """*text* with its variables replaced, for the few values read before the passes run."""
    return substitute(
        text,
        lookup,
        lambda name: warn(f'The "{name}" variable is not set. Defaulting to a blank string.'),
    )
