"""ADD: as COPY, and archives that are unpacked, URLs and git repositories."""

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
    "link": FlagKind.SWITCH,
    "keep-git-dir": FlagKind.SWITCH,
    "checksum": FlagKind.TEXT,
    "unpack": FlagKind.SWITCH,
    "exclude": FlagKind.TEXTS,
}


class Add(Command, frozen=True, kw_only=True, tag="ADD"):
    """*unpack* is None where nothing is said: local archives are unpacked, remote ones are not."""

    paths: Paths
    chown: str = ""
    chmod: str = ""
    link: bool = False
    keep_git_dir: bool = False
    checksum: str = ""
    unpack: bool | None = None
    exclude: tuple[str, ...] = ()

    def expanded(self, expand: Expander) -> Self:
        return msgspec.structs.replace(
            self,
            paths=self.paths.expanded(expand),
            chown=expand(self.chown),
            chmod=expand(self.chmod),
            checksum=expand(self.checksum),
            exclude=tuple(expand(each) for each in self.exclude),
        )

    def expandable(self) -> tuple[str, ...]:
        return (*self.paths.sources, self.paths.destination, self.chown, self.chmod, self.checksum)


def parse(statement: Statement) -> Add:
    flags = parse_flags(statement, _FLAGS)
    return Add(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        paths=parse_paths(statement),
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=flags.switch("link"),
        keep_git_dir=flags.switch("keep-git-dir"),
        checksum=flags.text("checksum"),
        unpack=flags.switches.get("unpack"),
        exclude=flags.all("exclude"),
    )
