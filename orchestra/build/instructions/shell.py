"""SHELL: what commands in shell form are given to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions.arguments import json_array, no_flags, some, wrong
from orchestra.build.instructions.base import Command

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Shell(Command, frozen=True, kw_only=True, tag="SHELL"):
    """In JSON form only."""

    argv: tuple[str, ...]


def parse(statement: Statement) -> Shell:
    no_flags(statement)
    argv = json_array(statement, some(statement))
    if argv is None:
        raise wrong(
            statement,
            "needs a JSON array",
            'for example SHELL ["/bin/bash", "-eo", "pipefail", "-c"]',
        )
    if not argv:
        raise wrong(statement, "needs at least one argument")
    return Shell(word=statement.word, text=statement.text, place=statement.place, argv=argv)
