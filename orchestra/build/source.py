"""Where an instruction stands in its Dockerfile, and errors that show the place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestra.errors import BuildError, BuildErrors
from orchestra.model.source import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

_AROUND = 2
_SHOWN_OUTPUT = 20


class Place(NamedTuple):
    """The lines of one instruction, from 1, both included."""

    file: str
    line: int
    last_line: int

    @property
    def position(self) -> Position:
        return Position(self.file, self.line, 1)


class Problems:
    """Gathers what is wrong with a file, so that all of it is told at once."""

    def __init__(self) -> None:
        self._found: list[BuildError] = []

    def add(self, problem: BuildError) -> None:
        self._found.append(problem)

    def raise_any(self) -> None:
        """Raises BuildError: the problem, or BuildErrors with all of them by line."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise BuildErrors(sorted(self._found, key=_line_of))


def _line_of(problem: BuildError) -> int:
    return problem.where.line if problem.where is not None else 0


def error_at(place: Place, what: str, fix: str = "") -> BuildError:
    return BuildError(what, where=place.position, fix=fix)


def excerpt(lines: Sequence[str], place: Place) -> str:
    """The lines around *place* with their numbers, those of *place* marked with ">>>"."""
    first = max(1, place.line - _AROUND)
    last = min(len(lines), place.last_line + _AROUND)
    width = len(str(last))
    shown = [f"{place.file}:{place.line}", "-" * 20]
    for number in range(first, last + 1):
        mark = ">>>" if place.line <= number <= place.last_line else "   "
        shown.append(f" {number:>{width}} | {mark} {_printable(lines[number - 1])}".rstrip())
    return "\n".join([*shown, "-" * 20])


def step_failed(lines: Sequence[str], place: Place, what: str, output: str) -> BuildError:
    """A step that has failed while it worked: where, what, and the end of its output."""
    last = [_printable(line) for line in output.splitlines()[-_SHOWN_OUTPUT:]]
    parts = [f"{place.file}:{place.line}: {what}", excerpt(lines, place), *last]
    return BuildError("\n".join(parts))


def _printable(line: str) -> str:
    return "".join(
        char if char.isprintable() or char == "\t" else char.encode("unicode_escape").decode()
        for char in line
    )
