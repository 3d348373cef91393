"""USER: who runs the steps that follow and the container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.instructions.arguments import no_flags, some
from orchestra.build.instructions.base import Command, Expander

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class User(Command, frozen=True, kw_only=True, tag="USER"):
    """`name`, `uid`, each also with `:group`."""

    user: str

    def expanded(self, expand: Expander) -> Self:
        return msgspec.structs.replace(self, user=expand(self.user))

    def expandable(self) -> tuple[str, ...]:
        return (self.user,)


def parse(statement: Statement) -> User:
    no_flags(statement)
    return User(
        word=statement.word, text=statement.text, place=statement.place, user=some(statement)
    )
