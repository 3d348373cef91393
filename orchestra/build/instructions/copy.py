"""COPY: files from the build context, a stage, an image or a named context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.instructions.arguments import FlagKind, parse_flags
from orchestra.build.instructions.base import Command, Expander
from orchestra.build.instructions.paths import Paths, parse_paths

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement

_FLAGS = {
    "chown": FlagKind.TEXT,
    "chmod": FlagKind.TEXT,
    "from": FlagKind.TEXT,
    "link": FlagKind.SWITCH,
    "parents": FlagKind.SWITCH,
    "exclude": FlagKind.TEXTS,
}


class Copy(Command, frozen=True, kw_only=True, tag="COPY"):
    """*from_* is "" for the build context."""

    paths: Paths
    from_: str = ""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    exclude: tuple[str, ...] = ()

    def expanded(self, expand: Expander) -> Self:
        return msgspec.structs.replace(
            self,
            paths=self.paths.expanded(expand),
            chown=expand(self.chown),
            chmod=expand(self.chmod),
            exclude=tuple(expand(each) for each in self.exclude),
        )

    def expandable(self) -> tuple[str, ...]:
        return (*self.paths.sources, self.paths.destination, self.chown, self.chmod)


def parse(statement: Statement) -> Copy:
    flags = parse_flags(statement, _FLAGS)
    return Copy(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        paths=parse_paths(statement),
        from_=flags.text("from"),
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=flags.switch("link"),
        parents=flags.switch("parents"),
        exclude=flags.all("exclude"),
    )
