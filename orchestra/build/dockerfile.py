"""A Dockerfile as stages of typed commands; still nothing is looked up or executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.instructions.arg import Arg
from orchestra.build.instructions.from_ import From
from orchestra.build.instructions.table import parse_statement
from orchestra.build.lexer import lex
from orchestra.build.source import Problems, error_at
from orchestra.errors import BuildError

if TYPE_CHECKING:
    from orchestra.build.instructions.base import Command
    from orchestra.build.source import Place


class Stage(NamedTuple):
    """*number* counts from 0; commands that follow *start* up to the next FROM."""

    number: int
    start: From
    commands: tuple[Command, ...]

    @property
    def title(self) -> str:
        """What people call it: its name, else its number."""
        return self.start.name or str(self.number)


class Dockerfile(NamedTuple):
    """*global_args* stand before the first FROM."""

    lines: tuple[str, ...]
    directives: dict[str, str]
    escape: str
    global_args: tuple[Arg, ...]
    stages: tuple[Stage, ...]
    empty_continuations: tuple[Place, ...]


def parse_dockerfile(data: bytes, file: str) -> Dockerfile:
    """Raises BuildError, or BuildErrors with everything that is wrong in *data*."""
    lexed = lex(data, file)
    problems = Problems()
    global_args: list[Arg] = []
    stages: list[tuple[From, list[Command]]] = []
    seen_from = False
    for statement in lexed.statements:
        seen_from = seen_from or statement.keyword == "FROM"
        try:
            command = parse_statement(statement)
        except BuildError as exc:
            problems.add(exc)
            continue
        if isinstance(command, From):
            stages.append((command, []))
        elif stages:
            stages[-1][1].append(command)
        elif isinstance(command, Arg):
            global_args.append(command)
        elif not seen_from:
            problems.add(_before_from(command))
    if not seen_from and all(statement.keyword == "ARG" for statement in lexed.statements):
        problems.add(
            error_at(lexed.statements[0].place, "the Dockerfile has no FROM", "begin with FROM")
        )
    problems.raise_any()
    return Dockerfile(
        lexed.lines,
        lexed.directives,
        lexed.escape,
        tuple(global_args),
        tuple(Stage(i, start, tuple(body)) for i, (start, body) in enumerate(stages)),
        lexed.empty_continuations,
    )


def _before_from(command: Command) -> BuildError:
    return error_at(
        command.place,
        f"{command.keyword} stands before the first FROM",
        "only ARG may; begin with FROM IMAGE",
    )
