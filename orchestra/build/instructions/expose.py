"""EXPOSE: ports on which the container listens; a note for those who run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.instructions.arguments import no_flags, plain_words, some
from orchestra.build.instructions.base import Command, Expander

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Expose(Command, frozen=True, kw_only=True, tag="EXPOSE"):
    """`80`, `80/udp` and `8000-8005`, sorted as written."""

    ports: tuple[str, ...]

    def expanded(self, expand: Expander) -> Self:
        ports = tuple(word for port in self.ports for word in expand.words(port))
        return msgspec.structs.replace(self, ports=ports)

    def expandable(self) -> tuple[str, ...]:
        return self.ports


def parse(statement: Statement) -> Expose:
    no_flags(statement)
    return Expose(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        ports=tuple(sorted(plain_words(some(statement)))),
    )
