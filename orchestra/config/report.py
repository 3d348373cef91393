"""Problems of compose files for editors and for terminals.

`problems_json` is what `config --check --format json` prints (schemas/problems.schema.json);
`with_excerpts` is the message with the line of the file below it and a caret under the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from orchestra.errors import ConfigErrors
from orchestra.model.source import spell_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.errors import OrchestraError
    from orchestra.model.source import Position

_WIDEST = 100
_INDENT = "    "


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem; *line* and *column* count from 1, and are null where there is no file."""

    file: str | None
    line: int | None
    column: int | None
    path: str
    message: str
    fix: str


def problems_of(error: OrchestraError | None) -> tuple[OrchestraError, ...]:
    """The problems that *error* reports together."""
    if error is None:
        return ()
    return error.problems if isinstance(error, ConfigErrors) else (error,)


def problems_json(error: OrchestraError | None) -> str:
    """The problems of *error* as JSON; an empty list when all is well."""
    found = [
        Problem(
            file=problem.where.file if problem.where else None,
            line=problem.where.line if problem.where else None,
            column=problem.where.column if problem.where else None,
            path=spell_path(problem.path),
            message=problem.what,
            fix=problem.fix,
        )
        for problem in problems_of(error)
    ]
    return msgspec.json.format(msgspec.json.encode({"problems": found})).decode() + "\n"


def with_excerpts(error: OrchestraError, line_of: Callable[[Position], str]) -> str:
    """The text of *error*, each problem with its line as *line_of* reads it ("" for none)."""
    return "\n".join(_with_excerpt(problem, line_of) for problem in problems_of(error))


def _with_excerpt(problem: OrchestraError, line_of: Callable[[Position], str]) -> str:
    where = problem.where
    line = line_of(where) if where is not None else ""
    if where is None or not line.strip():
        return str(problem)
    mend = f"\n  fix: {problem.fix}" if problem.fix else ""
    return f"{where}: {problem.what}\n{_excerpt(line, where.column)}{mend}"


def _excerpt(line: str, column: int) -> str:
    """*line* and a caret below its *column*, cut to a terminal's width around it."""
    shown = "".join(char if char.isprintable() else " " for char in line.rstrip("\r\n"))
    start = max(0, column - 1 - _WIDEST // 2) if len(shown) > _WIDEST else 0
    window = shown[start : start + _WIDEST]
    return f"{_INDENT}{window}\n{_INDENT}{' ' * (column - 1 - start)}^"
