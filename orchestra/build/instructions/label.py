"""LABEL: metadata of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.instructions.arguments import Pair, no_flags, parse_pairs
from orchestra.build.instructions.base import Command, Expander

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Label(Command, frozen=True, kw_only=True, tag="LABEL"):
    """Labels, the last one of a name counts."""

    pairs: tuple[Pair, ...]
    legacy: bool = False  # LABEL NAME VALUE

    def expanded(self, expand: Expander) -> Self:
        pairs = tuple(Pair(expand(name), expand(value)) for name, value in self.pairs)
        return msgspec.structs.replace(self, pairs=pairs)

    def expandable(self) -> tuple[str, ...]:
        return tuple(word for pair in self.pairs for word in pair)


def parse(statement: Statement) -> Label:
    no_flags(statement)
    pairs, legacy = parse_pairs(statement)
    return Label(
        word=statement.word, text=statement.text, place=statement.place, pairs=pairs, legacy=legacy
    )
