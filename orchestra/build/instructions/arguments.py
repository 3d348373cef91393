"""The shapes that arguments come in: words, JSON arrays, NAME=value pairs, flags."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.source import error_at
from orchestra.config.wording import near_miss, quote
from orchestra.model.container import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.build.lexer import Statement
    from orchestra.errors import BuildError


class FlagKind(Enum):
    SWITCH = "switch"
    TEXT = "text"
    TEXTS = "texts"


class Flags(NamedTuple):
    """The flags of one instruction."""

    switches: dict[str, bool]
    texts: dict[str, list[str]]

    def switch(self, name: str) -> bool:
        return self.switches.get(name, False)

    def text(self, name: str) -> str:
        return self.texts.get(name, [""])[0]

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self.texts.get(name, ()))


class CommandLine(Frozen, frozen=True, kw_only=True):
    """A command in exec form, or (*in_shell*) one line that a shell is given."""

    argv: tuple[str, ...] = ()
    in_shell: bool = False


def wrong(statement: Statement, what: str, fix: str = "") -> BuildError:
    return error_at(statement.place, f"{statement.keyword}: {what}", fix)


def no_flags(statement: Statement) -> None:
    """Raises BuildError when the instruction has flags."""
    parse_flags(statement, {})


def parse_flags(statement: Statement, known: Mapping[str, FlagKind]) -> Flags:
    """Raises BuildError for unknown, doubled or malformed flags."""
    flags = Flags({}, {})
    for word in statement.flags:
        name, equals, value = word[2:].partition("=")
        if name not in known:
            raise wrong(statement, f"unknown flag {quote('--' + name)}", _flag_fix(name, known))
        kind = known[name]
        if kind is not FlagKind.TEXTS and (name in flags.switches or name in flags.texts):
            raise wrong(statement, f"the flag --{name} is given twice", "remove one of them")
        if kind is FlagKind.SWITCH:
            if value.lower() not in {"true", "false"} and (equals or value):
                raise wrong(statement, f"--{name} is true or false, not {quote(value)}")
            flags.switches[name] = value.lower() != "false"
        elif not equals:
            raise wrong(statement, f"--{name} needs a value", f"write --{name}=VALUE")
        else:
            flags.texts.setdefault(name, []).append(value)
    return flags


def _flag_fix(name: str, known: Mapping[str, FlagKind]) -> str:
    meant = near_miss(name, sorted(known))
    if meant:
        return f"did you mean --{meant}?"
    return f"it has {', '.join('--' + each for each in sorted(known))}" if known else "it has none"


def some(statement: Statement) -> str:
    """What the instruction is about. Raises BuildError when there is nothing."""
    if not statement.rest:
        raise wrong(statement, "needs at least one argument")
    return statement.rest


def json_array(statement: Statement, text: str) -> tuple[str, ...] | None:
    """The strings of a JSON array; None for text that is none, which is then a shell's.

    Raises BuildError for an array that holds something else than strings.
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in items):
        raise wrong(
            statement,
            "an array in JSON form holds strings only",
            'put every item into double quotes, for example ["sleep", "1"]',
        )
    return tuple(items)


def command_line(statement: Statement, text: str) -> CommandLine:
    argv = json_array(statement, text)
    if argv is not None:
        return CommandLine(argv=argv)
    return CommandLine(argv=(text,), in_shell=True) if text else CommandLine()


def plain_words(text: str) -> tuple[str, ...]:
    """Words between white space; quotes mean nothing."""
    return tuple(text.split())


def quoted_words(text: str, escape: str) -> tuple[str, ...]:
    """Words between white space outside of quotes, which are kept, as are escapes."""
    one = re.escape(escape)
    pattern = rf"""(?:{one}.|'[^']*(?:'|$)|"(?:{one}.|[^"{one}])*(?:"|$)|[^\s{one}"'])+"""
    return tuple(match.group() for match in re.finditer(pattern, text, re.DOTALL))


class Pair(NamedTuple):
    name: str
    value: str


def parse_pairs(statement: Statement) -> tuple[tuple[Pair, ...], bool]:
    """NAME=value …, or the old form NAME VALUE, which is told by the second result."""
    text = some(statement)
    words = quoted_words(text, statement.escape)
    if words and "=" not in words[0]:
        name, _, value = (re.sub(r"\s+", " ", text, count=1)).partition(" ")
        if not value:
            raise wrong(
                statement, f"{quote(name)} has no value", f"write {statement.keyword} NAME=value"
            )
        return (Pair(name, value),), True
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise wrong(
                statement,
                f"{quote(word)} is not of the form NAME=value",
                "put values with spaces into double quotes",
            )
        if not name:
            raise wrong(statement, f"{quote(word)} has no name before the =")
        pairs.append(Pair(name, value))
    return tuple(pairs), False
