"""MAINTAINER: the author of the image, now a label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions.arguments import no_flags, some
from orchestra.build.instructions.base import Command

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class Maintainer(Command, frozen=True, kw_only=True, tag="MAINTAINER"):
    """Variables in it are left as they are."""

    author: str


def parse(statement: Statement) -> Maintainer:
    no_flags(statement)
    return Maintainer(
        word=statement.word, text=statement.text, place=statement.place, author=some(statement)
    )
