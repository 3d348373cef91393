"""Go's text/template, read: source text to nodes. What the nodes say is in `template`.

Fields and their chains, variables, literals, pipes, parentheses, and the actions `if`, `range`,
`with` with `else`, `else if` and `end`; `{{-` and `-}}` trim. https://pkg.go.dev/text/template
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_ACTION = re.compile(r"(\s*)\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}(\s*)", re.DOTALL)
_COMMENT = re.compile(r"/\*.*\*/", re.DOTALL)
_WORD = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|=|[|(),]|-?\d+|\$?\w*(?:\.\w+)+|\.|\$\w*|\w+)'
)
_BLOCKS = ("if", "range", "with")
_CLOSERS = (")", "|", "")


class Text(NamedTuple):
    text: str


class Literal(NamedTuple):
    value: str | int | bool | None


class Field(NamedTuple):
    """`.A.B` of the dot, `$x.A` of a variable, `(…).A` of what is in the parentheses."""

    base: Pipe | str  # "" is the dot; else the variable's name
    path: tuple[str, ...]


class Function(NamedTuple):
    name: str


class Pipe(NamedTuple):
    """Commands, each the operands that stand beside each other; *variable* takes the result."""

    commands: tuple[tuple[Literal | Field | Function | Pipe, ...], ...]
    variable: str = ""


class Branch(NamedTuple):
    """`{{WORD pipe}} then {{else}} otherwise {{end}}`, WORD being "if", "range" or "with".

    *variables* are those of `range $key, $value := …`.
    """

    word: str
    variables: tuple[str, ...]
    pipe: Pipe
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node = Text | Pipe | Branch


def parse_template(source: str) -> tuple[Node, ...]:
    """Raises ConfigError when *source* is not in the supported part of the language."""
    nodes, ended_by = _block(_pieces(source))
    if ended_by:
        raise refused(f"unexpected {{{{{ended_by}}}}}")
    return nodes


def refused(what: str) -> ConfigError:
    return ConfigError(
        f"template: {what} is not supported",
        fix="use fields such as {{.Name}}, {{json .}}, pipes, {{if}}, {{range}} and {{with}}",
    )


def _pieces(source: str) -> Iterator[Text | str]:
    """Text, and the inside of each action."""
    position = 0
    for match in _ACTION.finditer(source):
        before, trims_before, inside, trims_after, after = match.groups()
        text = source[position : match.start()] + ("" if trims_before else before)
        if text:
            yield Text(text)
        if not _COMMENT.fullmatch(inside):
            yield inside
        position = match.end() if trims_after else match.end() - len(after)
    rest = source[position:]
    if "{{" in rest:
        raise ConfigError("template: unclosed action", fix="an action ends with }}")
    if rest:
        yield Text(rest)


def _block(pieces: Iterator[Text | str]) -> tuple[tuple[Node, ...], str]:
    """Nodes up to `end`, `else …` or the last piece, and which of them it was."""
    nodes: list[Node] = []
    for piece in pieces:
        if isinstance(piece, Text):
            nodes.append(piece)
            continue
        word, _, rest = piece.partition(" ")
        if word in ("end", "else"):
            return tuple(nodes), piece
        nodes.append(_branch(word, rest, pieces) if word in _BLOCKS else _Words(piece).action())
    return tuple(nodes), ""


def _branch(word: str, rest: str, pieces: Iterator[Text | str]) -> Branch:
    """What stands between *word* and its `end`, before and after an `else`."""
    variables, pipe = _Words(rest).declaration()
    then, ended_by = _block(pieces)
    otherwise: tuple[Node, ...] = ()
    if ended_by.startswith("else "):  # `else if` takes the `end` of the `if` that it belongs to
        inner, _, condition = ended_by.removeprefix("else ").partition(" ")
        if inner not in ("if", "with"):
            raise refused(f"{{{{{ended_by}}}}}")
        return Branch(word, variables, pipe, then, (_branch(inner, condition, pieces),))
    if ended_by == "else":
        otherwise, ended_by = _block(pieces)
    if ended_by != "end":
        raise refused(f"{{{{{word}}}}} without {{{{end}}}}")
    return Branch(word, variables, pipe, then, otherwise)


class _Words:
    """The words of one action, and a reader of them."""

    def __init__(self, inside: str) -> None:
        self._inside = inside
        self._words: list[str] = []
        self._touching: list[bool] = []  # does the word follow the one before without a blank?
        position = 0
        while position < len(inside):
            match = _WORD.match(inside, position)
            if match is None:
                raise self._refused()
            self._words.append(match.group(1))
            self._touching.append(match.start(1) == position)
            position = match.end()
        self._next = 0

    def action(self) -> Pipe:
        variables, pipe = self.declaration()
        if len(variables) > 1:
            raise self._refused()
        return pipe._replace(variable=variables[0] if variables else "")

    def declaration(self) -> tuple[tuple[str, ...], Pipe]:
        """`$key, $value := pipe`, or a pipe alone."""
        variables: list[str] = []
        assigned = next((word for word in self._words if word in (":=", "=")), "")
        while assigned:
            name = self._take()
            if not name.startswith("$") or "." in name:
                raise self._refused()
            variables.append(name)
            follows = self._take()
            if follows == assigned:
                break
            if follows != ",":
                raise self._refused()
        pipe = self._pipe()
        if self._peek():
            raise self._refused()
        return tuple(variables), pipe

    def _pipe(self) -> Pipe:
        commands = [self._command()]
        while self._peek() == "|":
            self._take()
            commands.append(self._command())
        return Pipe(tuple(commands))

    def _command(self) -> tuple[Literal | Field | Function | Pipe, ...]:
        operands: list[Literal | Field | Function | Pipe] = []
        while self._peek() not in _CLOSERS:
            operands.append(self._operand())
        if not operands:
            raise self._refused()
        return tuple(operands)

    def _operand(self) -> Literal | Field | Function | Pipe:
        word = self._take()
        if word == "(":
            pipe = self._pipe()
            if self._take() != ")":
                raise self._refused()
            chained = self._peek().startswith(".") and self._touching[self._next]
            return Field(pipe, tuple(self._take()[1:].split("."))) if chained else pipe
        if word[0] == ".":
            return Field("", tuple(word[1:].split(".")) if word != "." else ())
        if word[0] == "$":
            name, *path = word.split(".")
            return Field(name, tuple(path))
        if word[0] == '"':
            return Literal(_unquoted(word))
        if word[0] == "`":
            return Literal(word[1:-1])
        if word.lstrip("-").isdigit():
            return Literal(int(word))
        if word in ("true", "false", "nil"):
            return Literal({"true": True, "false": False}.get(word))
        if not word.isidentifier():
            raise self._refused()
        return Function(word)

    def _peek(self) -> str:
        return self._words[self._next] if self._next < len(self._words) else ""

    def _take(self) -> str:
        word = self._peek()
        self._next += 1
        return word

    def _refused(self) -> ConfigError:
        return refused(f"{{{{{self._inside}}}}}")


def _unquoted(word: str) -> str:
    try:
        text: str = json.loads(word)
    except ValueError as exc:
        raise ConfigError(f"template: {word} is no string") from exc
    return text
