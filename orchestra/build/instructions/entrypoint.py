"""ENTRYPOINT: what the container always runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions.arguments import CommandLine, command_line, no_flags
from orchestra.build.instructions.base import Command

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Entrypoint(Command, frozen=True, kw_only=True, tag="ENTRYPOINT"):
    """Without arguments it resets what the base image says."""

    command: CommandLine


def parse(statement: Statement) -> Entrypoint:
    no_flags(statement)
    return Entrypoint(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        command=command_line(statement, statement.rest),
    )
