"""The part of Go's text/template that people use in `--format`.

Fields (`{{.Name}}`, `{{.Label "key"}}`), literals, pipes, the functions of the Docker CLI (json,
upper, lower, title, join, split, pad, truncate, len, println), `if` and `range` with `else`
and `end`, and trimming with `{{-` and `-}}`. Anything else is refused with its text, never printed
as it stands.
https://docs.docker.com/engine/cli/formatting/
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Fields = dict[str, object]

_ACTION = re.compile(r"(\s*)\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}(\s*)", re.DOTALL)
_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|`[^`]*`|\||-?\d+|\.[\w.]*|\w+)')


class Text(NamedTuple):
    text: str


class Show(NamedTuple):
    """`{{…}}`: stages of a pipe, each a list of words."""

    stages: tuple[tuple[str, ...], ...]


class Choose(NamedTuple):
    """`{{if …}} then {{else}} otherwise {{end}}`."""

    condition: Show
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


class Repeat(NamedTuple):
    """`{{range …}} body {{else}} otherwise {{end}}`; in the body the dot is the item."""

    items: Show
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


Node = Text | Show | Choose | Repeat


def parse_template(source: str) -> tuple[Node, ...]:
    """Raises ConfigError when *source* is not in the supported part of the language."""
    pieces = _pieces(source)
    nodes, ended_by = _block(pieces)
    if ended_by:
        raise _refused(f"unexpected {{{{{ended_by}}}}}")
    return nodes


def render(nodes: Sequence[Node], fields: Fields, labels: Mapping[str, str]) -> str:
    """The text for one item. Raises ConfigError for a field that the item has not got."""
    return "".join(_render(node, fields, labels) for node in nodes)


def field_names(nodes: Sequence[Node]) -> Iterator[str]:
    """The fields that are shown, in order: they make the header of a table."""
    for node in nodes:
        if isinstance(node, Show):
            yield next((word[1:] for stage in node.stages for word in stage if word[0] == "."), "")


def _pieces(source: str) -> Iterator[Text | str]:
    """Text, and the inside of each action."""
    position = 0
    for match in _ACTION.finditer(source):
        before, trims_before, inside, trims_after, after = match.groups()
        text = source[position : match.start()] + ("" if trims_before else before)
        if text:
            yield Text(text)
        yield inside
        position = match.end() if trims_after else match.end() - len(after)
    if source[position:]:
        yield Text(source[position:])


def _block(pieces: Iterator[Text | str]) -> tuple[tuple[Node, ...], str]:
    """Nodes up to `end`, `else` or the last piece, and which of them it was."""
    nodes: list[Node] = []
    for piece in pieces:
        if isinstance(piece, Text):
            nodes.append(piece)
        elif piece in ("end", "else"):
            return tuple(nodes), piece
        elif piece.startswith("if "):
            nodes.append(Choose(_show(piece[3:]), *_branches("if", pieces)))
        elif piece.startswith("range "):
            nodes.append(Repeat(_show(piece[6:]), *_branches("range", pieces)))
        else:
            nodes.append(_show(piece))
    return tuple(nodes), ""


def _branches(word: str, pieces: Iterator[Text | str]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """What stands between *word* and `end`, before and after an `else`."""
    then, ended_by = _block(pieces)
    otherwise: tuple[Node, ...] = ()
    if ended_by == "else":
        otherwise, ended_by = _block(pieces)
    if ended_by != "end":
        raise _refused(f"{{{{{word}}}}} without {{{{end}}}}")
    return then, otherwise


def _show(inside: str) -> Show:
    words: list[str] = []
    position = 0
    while position < len(inside):
        match = _WORD.match(inside, position)
        if match is None:
            raise _refused(f"{{{{{inside}}}}}")
        words.append(match.group(1))
        position = match.end()
    stages: list[tuple[str, ...]] = []
    while "|" in words:
        cut = words.index("|")
        stages.append(tuple(words[:cut]))
        words = words[cut + 1 :]
    stages.append(tuple(words))
    if not all(stages):
        raise _refused(f"{{{{{inside}}}}}")
    return Show(tuple(stages))


def _render(node: Node, fields: Fields, labels: Mapping[str, str]) -> str:
    match node:
        case Text(text):
            return text
        case Show():
            return _shown(_value(node, fields, labels))
        case Choose(condition, then, otherwise):
            chosen = then if _value(condition, fields, labels) else otherwise
            return render(chosen, fields, labels)
        case Repeat(items, body, otherwise):
            found = _value(items, fields, labels)
            if not found and not isinstance(found, str):
                return render(otherwise, fields, labels)
            if not isinstance(found, list | tuple):
                raise _refused("{{range}} over what is no list")
            return "".join(render(body, _as_fields(item), labels) for item in found)


def _as_fields(item: object) -> Fields:
    """*item* as what the dot and its fields mean inside `range`."""
    return item if isinstance(item, dict) else {"": item}


def _value(show: Show, fields: Fields, labels: Mapping[str, str]) -> object:
    piped: list[object] = []
    for stage in show.stages:
        head, *rest = stage
        arguments = [_operand(word, fields) for word in rest] + piped
        if head == ".Label":
            piped = [labels.get(str(arguments[0]), "") if arguments else ""]
        elif head[0] in '."`-' or head.isdigit():
            piped = [_operand(head, fields)]
        else:
            piped = [_call(head, arguments)]
    return piped[0]


def _nested(path: Sequence[str], fields: Fields) -> object:
    """`.Config.Cmd`; what a map does not have is no error, as in Go."""
    found: object = fields
    for name in path:
        found = found.get(name, "<no value>") if isinstance(found, dict) else "<no value>"
    return found


def _operand(word: str, fields: Fields) -> object:
    if word == ".":
        return fields.get("", fields)
    if word.startswith("."):
        if word[1:] not in fields and isinstance(fields.get(word[1:].split(".")[0]), dict):
            return _nested(word[1:].split("."), fields)
        if word[1:] not in fields:
            known = ", ".join(f".{name}" for name in fields)
            raise ConfigError(f"template: there is no field {word}", fix=f"use one of {known}")
        return fields[word[1:]]
    if word.startswith('"'):
        text: str = json.loads(word)
        return text
    if word.startswith("`"):
        return word[1:-1]
    return int(word) if word.lstrip("-").isdigit() else word


def _call(name: str, arguments: Sequence[object]) -> object:
    function = _FUNCTIONS.get(name)
    if function is None:
        raise _refused(f'function "{name}"')
    try:
        return function(*arguments)
    except (TypeError, ValueError) as exc:
        raise ConfigError(f'template: wrong arguments for "{name}": {exc}') from exc


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + " ".join(_shown(item) for item in value) + "]"
    return str(value)


def _refused(what: str) -> ConfigError:
    return ConfigError(
        f"template: {what} is not supported",
        fix="use fields such as {{.Name}}, {{json .}}, pipes and {{if}}",
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _join(items: object, separator: str) -> str:
    return separator.join(items) if isinstance(items, list | tuple) else str(items)


def _pad(text: object, before: int, after: int) -> str:
    return " " * before + str(text) + " " * after if text else ""


def _truncate(text: object, length: int) -> str:
    return str(text)[:length]


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "json": _json,
    "upper": lambda text: str(text).upper(),
    "lower": lambda text: str(text).lower(),
    "title": lambda text: str(text).title(),
    "join": _join,
    "split": lambda text, separator: str(text).split(separator),
    "pad": _pad,
    "truncate": _truncate,
    "len": len,
    "println": lambda *values: " ".join(map(_shown, values)) + "\n",
}
