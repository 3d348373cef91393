"""STOPSIGNAL: the signal that ends the container."""

from __future__ import annotations

import re
from signal import Signals
from typing import TYPE_CHECKING, Self

import msgspec

from orchestra.build.instructions.arguments import no_flags, some
from orchestra.build.instructions.base import Command, Expander

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement


class StopSignal(Command, frozen=True, kw_only=True, tag="STOPSIGNAL"):
    """A name or number of signal(7)."""

    signal: str

    def expanded(self, expand: Expander) -> Self:
        return msgspec.structs.replace(self, signal=expand(self.signal))

    def expandable(self) -> tuple[str, ...]:
        return (self.signal,)


def parse(statement: Statement) -> StopSignal:
    no_flags(statement)
    return StopSignal(
        word=statement.word, text=statement.text, place=statement.place, signal=some(statement)
    )


def is_signal(text: str) -> bool:
    """Is *text* a name or number of signal(7), or RTMIN+3 and its kin?"""
    if text.isascii() and text.isdecimal():
        return 0 < int(text) <= Signals.SIGRTMAX
    name = re.sub(r"^(RTMIN\+|RTMAX-)\d{1,2}$", "RTMIN", text.upper().removeprefix("SIG"))
    return f"SIG{name}" in Signals.__members__
