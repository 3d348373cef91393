"""VOLUME: directories that containers keep outside of their layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.instructions.arguments import json_array, no_flags, plain_words, some, wrong
from orchestra.build.instructions.base import Command, Expander

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Volume(Command, frozen=True, kw_only=True, tag="VOLUME"):
    """In JSON form or as words."""

    paths: tuple[str, ...]

    def expanded(self, expand: Expander) -> Self:
        return msgspec.structs.replace(self, paths=tuple(expand(path) for path in self.paths))

    def expandable(self) -> tuple[str, ...]:
        return self.paths


def parse(statement: Statement) -> Volume:
    no_flags(statement)
    text = some(statement)
    listed = json_array(statement, text)
    paths = tuple(path.strip() for path in (plain_words(text) if listed is None else listed))
    if not paths or not all(paths):
        raise wrong(statement, "a volume needs a path", 'for example VOLUME ["/data"]')
    return Volume(word=statement.word, text=statement.text, place=statement.place, paths=paths)
