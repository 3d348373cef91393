"""Problems of compose files for editors: what `config --check --format json` prints.

The schema is schemas/problems.schema.json; how people see them is `cli.render.failure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigErrors
from orchestra.model.source import spell_path
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from orchestra.errors import OrchestraError


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
