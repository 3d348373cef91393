"""ARG: variables of the build, given by `--build-arg`, with a default or without."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from orchestra.build.instructions.arguments import no_flags, quoted_words, some, wrong
from orchestra.build.instructions.base import Command, Expander

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Declared(NamedTuple):
    """*default* is None where there is no `=`."""

    name: str
    default: str | None


class Arg(Command, frozen=True, kw_only=True, tag="ARG"):
    """Each default sees the arguments before it."""

    declared: tuple[Declared, ...]

    def expanded(self, expand: Expander) -> Self:
        declared = tuple(
            Declared(expand(name), None if default is None else expand(default))
            for name, default in self.declared
        )
        return msgspec.structs.replace(self, declared=declared)

    def expandable(self) -> tuple[str, ...]:
        return tuple(each.default for each in self.declared if each.default is not None)


def parse(statement: Statement) -> Arg:
    no_flags(statement)
    declared = []
    for word in quoted_words(some(statement), statement.escape):
        name, equals, default = word.partition("=")
        if not name:
            raise wrong(statement, f'"{word}" has no name before the =')
        declared.append(Declared(name, default if equals else None))
    return Arg(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        declared=tuple(declared),
    )
