"""ONBUILD: an instruction for the build that begins with this image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.build.instructions.arguments import no_flags, some, wrong
from orchestra.build.instructions.base import Command

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement

_NEVER = ("ONBUILD", "FROM", "MAINTAINER")


class OnBuild(Command, frozen=True, kw_only=True, tag="ONBUILD"):
    """*trigger* is the instruction with its heredocs, as it goes into the image."""

    trigger: str


def parse(statement: Statement) -> OnBuild:
    no_flags(statement)
    trigger = some(statement).split(maxsplit=1)[0].upper()
    if trigger in _NEVER:
        raise wrong(statement, f"{trigger} cannot be a trigger")
    text = re.sub(r"(?i)^\s*ONBUILD\s+", "", statement.text)
    for heredoc in statement.heredocs:
        text += f"\n{heredoc.text}{heredoc.name}"
    return OnBuild(word=statement.word, text=statement.text, place=statement.place, trigger=text)
