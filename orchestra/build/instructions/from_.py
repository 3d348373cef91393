"""FROM: begins a stage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.build.instructions.arguments import (
    FlagKind,
    parse_flags,
    plain_words,
    some,
    wrong,
)
from orchestra.build.instructions.base import Command
from orchestra.config.wording import quote

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement

_NAME = re.compile(r"[a-z][a-z0-9-_.]*")


class From(Command, frozen=True, kw_only=True, tag="FROM"):
    """*base* is an image, an earlier stage, `scratch` or `host`, with variables in it.

    *name* is in small letters, *as_written* and *connective* ("AS") as in the file.
    """

    base: str
    name: str = ""
    as_written: str = ""
    connective: str = ""
    platform: str = ""

    def expandable(self) -> tuple[str, ...]:
        return (self.base, self.platform)


def parse(statement: Statement) -> From:
    platform = parse_flags(statement, {"platform": FlagKind.TEXT}).text("platform")
    words = plain_words(some(statement))
    if len(words) not in {1, 3} or (len(words) == 3 and words[1].upper() != "AS"):
        raise wrong(
            statement,
            "needs an image, and perhaps a name",
            "write FROM IMAGE or FROM IMAGE AS NAME",
        )
    name = words[2].lower() if len(words) == 3 else ""
    if name and not _NAME.fullmatch(name):
        raise wrong(
            statement,
            f"{quote(words[2])} cannot be the name of a stage",
            "begin with a letter and go on with letters, digits, - _ and .",
        )
    return From(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        base=words[0],
        name=name,
        as_written=words[2] if name else "",
        connective=words[1] if name else "",
        platform=platform,
    )
