"""WORKDIR: the working directory of the steps that follow and of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.instructions.arguments import no_flags, some
from orchestra.build.instructions.base import Command, Expander

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Workdir(Command, frozen=True, kw_only=True, tag="WORKDIR"):
    """*path* is relative to the working directory before it."""

    path: str

    def expanded(self, expand: Expander) -> Self:
        return msgspec.structs.replace(self, path=expand(self.path))

    def expandable(self) -> tuple[str, ...]:
        return (self.path,)


def parse(statement: Statement) -> Workdir:
    no_flags(statement)
    return Workdir(
        word=statement.word, text=statement.text, place=statement.place, path=some(statement)
    )
