"""The grammar of variables in a value: $VAR, ${VAR}, ${VAR:-default} and its relatives, $$.

After the name may stand one operator, with a colon when an empty value counts as missing:
`-` default, `?` required with a message, `+` replacement when set. The word after it is a template
again. A `$` that begins nothing of this is kept as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Lookup = Callable[[str], str | None]

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATOR = re.compile(r":?[-+?]")
MAX_NESTING = 50
MAX_LENGTH = 8 << 20
"""Thirty lines of an .env file that double a variable would make a gigabyte."""


class TemplateError(Exception):
    """*what* is wrong with a template, *offset* characters into it."""

    def __init__(self, what: str, offset: int, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset
        self.fix = fix


class Variable(NamedTuple):
    """One ${…}: *operator* is "" or one of - :- ? :? + :+, *word* what follows it."""

    name: str
    operator: str
    word: str
    offset: int
    word_offset: int


def parse(text: str) -> Iterator[str | Variable]:
    """The literal pieces and variables of *text*, in order. Raises TemplateError."""
    position = 0
    while True:
        dollar = text.find("$", position)
        if dollar < 0 or dollar == len(text) - 1:
            yield text[position:]
            return
        following = text[dollar + 1]
        if following == "$":
            yield text[position : dollar + 1]
            position = dollar + 2
        elif following == "{":
            yield text[position:dollar]
            variable, position = _braced(text, dollar)
            yield variable
        elif match := _NAME.match(text, dollar + 1):
            yield text[position:dollar]
            yield Variable(match.group(), "", "", dollar, dollar)
            position = match.end()
        else:
            yield text[position : dollar + 1]
            position = dollar + 1


def _braced(text: str, dollar: int) -> tuple[Variable, int]:
    name = _NAME.match(text, dollar + 2)
    if name is None:
        raise TemplateError(
            f'"{text[dollar : dollar + 12]}" does not name a variable',
            dollar,
            'write "$$" for a dollar sign that is no variable',
        )
    close = _closing_brace(text, dollar + 1)
    if close is None:
        raise TemplateError(f'"${{{name.group()}" has no closing brace', dollar, 'add "}"')
    if name.end() == close:
        return Variable(name.group(), "", "", dollar, close), close + 1
    operator = _OPERATOR.match(text, name.end())
    if operator is None:
        raise TemplateError(
            f'"{text[name.end() : close]}" after {name.group()} is no known operator',
            dollar,
            'use :- or - (default), :? or ? (required), :+ or + (if set); "$$" for a plain "$"',
        )
    word = text[operator.end() : close]
    return Variable(name.group(), operator.group(), word, dollar, operator.end()), close + 1


def _closing_brace(text: str, opening: int) -> int | None:
    depth = 0
    for index in range(opening, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return None


def substitute(text: str, lookup: Lookup, unset: Callable[[str], None], depth: int = 0) -> str:
    """*text* with its variables replaced; *unset* is told each name without a value or default.

    Raises TemplateError for bad syntax and for a required variable that is missing.
    """
    if "$" not in text:
        return text
    if depth > MAX_NESTING:
        raise TemplateError("variables are nested too deeply", 0)
    pieces: list[str] = []
    length = 0
    for piece in parse(text):
        value = piece if isinstance(piece, str) else _value(piece, lookup, unset, depth)
        length += len(value)
        if length > MAX_LENGTH:
            raise TemplateError(f"the variables make more than {MAX_LENGTH} characters", 0)
        pieces.append(value)
    return "".join(pieces)


def _value(variable: Variable, lookup: Lookup, unset: Callable[[str], None], depth: int) -> str:
    value = lookup(variable.name)
    operator = variable.operator
    if not operator:
        if value is None:
            unset(variable.name)
            return ""
        return value
    present = bool(value) if operator[0] == ":" else value is not None
    kind = operator[-1]
    if kind == "+":
        wanted = present
    elif present:
        return value or ""
    else:
        wanted = True
    if not wanted:
        return value or ""
    try:
        word = substitute(variable.word, lookup, unset, depth + 1)
    except TemplateError as exc:
        exc.offset += variable.word_offset
        raise
    if kind == "?":
        reason = f": {word}" if word else ""
        raise TemplateError(
            f"required variable {variable.name} is missing a value{reason}",
            variable.offset,
            f"set {variable.name} in the environment or in the .env file",
        )
    return word


def variables(text: str) -> Iterator[Variable]:
    """Every variable of *text*, those inside defaults too. Raises TemplateError."""
    for piece in parse(text):
        if isinstance(piece, Variable):
            yield piece
            if piece.word:
                yield from variables(piece.word)
