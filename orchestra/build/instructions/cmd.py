"""CMD: the command of the container, or its arguments after ENTRYPOINT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions.arguments import CommandLine, command_line, no_flags
from orchestra.build.instructions.base import Command

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Cmd(Command, frozen=True, kw_only=True, tag="CMD"):
    """Without arguments it resets what the base image says."""

    command: CommandLine


def parse(statement: Statement) -> Cmd:
    no_flags(statement)
    return Cmd(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        command=command_line(statement, statement.rest),
    )
