"""HEALTHCHECK: how to see whether the container works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.build.instructions.arguments import (
    FlagKind,
    Flags,
    command_line,
    no_flags,
    parse_flags,
    some,
    wrong,
)
from orchestra.build.instructions.base import Command
from orchestra.config.wording import quote
from orchestra.units import parse_duration_ns

if TYPE_CHECKING:
    from orchestra.build.lexer import Statement

_DURATIONS = ("interval", "timeout", "start-period", "start-interval")
_FLAGS = dict.fromkeys((*_DURATIONS, "retries"), FlagKind.TEXT)
_SHORTEST_NS = 1_000_000


class HealthCheck(Command, frozen=True, kw_only=True, tag="HEALTHCHECK"):
    """*test* is ("NONE",), ("CMD", …) or ("CMD-SHELL", line); 0 is Docker's default."""

    test: tuple[str, ...]
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0


def parse(statement: Statement) -> HealthCheck:
    kind, _, rest = some(statement).partition(" ")
    if kind.upper() == "NONE":
        no_flags(statement)
        if rest.strip():
            raise wrong(statement, "NONE takes no arguments")
        return HealthCheck(
            word=statement.word, text=statement.text, place=statement.place, test=("NONE",)
        )
    if kind.upper() != "CMD":
        raise wrong(statement, f"unknown type {quote(kind)}", "write CMD or NONE")
    flags = parse_flags(statement, _FLAGS)
    line = command_line(statement, rest.strip())
    if not line.argv:
        raise wrong(statement, "CMD needs a command")
    durations = {name: _duration(statement, flags, name) for name in _DURATIONS}
    return HealthCheck(
        word=statement.word,
        text=statement.text,
        place=statement.place,
        test=("CMD-SHELL" if line.in_shell else "CMD", *line.argv),
        interval_ns=durations["interval"],
        timeout_ns=durations["timeout"],
        start_period_ns=durations["start-period"],
        start_interval_ns=durations["start-interval"],
        retries=_retries(statement, flags),
    )


def _duration(statement: Statement, flags: Flags, name: str) -> int:
    text = flags.text(name)
    if not text:
        return 0
    try:
        duration = parse_duration_ns(text)
    except ValueError as exc:
        raise wrong(statement, f"--{name}: {exc}") from exc
    if duration and duration < _SHORTEST_NS:
        raise wrong(statement, f"--{name}={text} is shorter than 1ms")
    return duration


def _retries(statement: Statement, flags: Flags) -> int:
    text = flags.text("retries")
    if text and not (text.isascii() and text.isdecimal()):
        raise wrong(statement, f"--retries is a number, not {quote(text)}")
    return int(text or 0)
