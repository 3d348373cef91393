"""The part of Go's text/template that people use in `--format`, as the Docker CLI has it.

`template_syntax` reads it; `template_functions` are the functions. A field of the item that does
not exist is an error with those that do; what a nested map has not got is "<no value>", as in Go.
Anything else is refused with its text, never printed as it stands.
https://docs.docker.com/engine/cli/formatting/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.render.template_functions import NO_VALUE, call, shown
from orchestra.cli.render.template_syntax import (
    Branch,
    Field,
    Function,
    Literal,
    Node,
    Pipe,
    Text,
    parse_template,
    refused,
)
from orchestra.errors import ConfigError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Fields", "field_names", "parse_template", "render"]

Fields = dict[str, object]


class _Scope(NamedTuple):
    """What the dot and the variables mean at one place; *item* is what `$` is."""

    dot: object
    item: Fields
    labels: Mapping[str, str]
    variables: dict[str, object]

    def inside(self, dot: object, variables: Mapping[str, object]) -> _Scope:
        return self._replace(dot=dot, variables={**self.variables, **variables})


def render(nodes: Sequence[Node], fields: Fields, labels: Mapping[str, str]) -> str:
    """The text for one item. Raises ConfigError for a field that the item has not got."""
    return _block(nodes, _Scope(fields, fields, labels, {}))


def field_names(nodes: Sequence[Node]) -> Iterator[str]:
    """The fields that are shown, in order: they make the header of a table."""
    for node in nodes:
        if isinstance(node, Pipe):
            yield next(_fields_of(node), "")


def _fields_of(pipe: Pipe) -> Iterator[str]:
    for command in pipe.commands:
        for operand in command:
            if isinstance(operand, Pipe):
                yield from _fields_of(operand)
            elif isinstance(operand, Field) and operand.base == "":
                yield ".".join(operand.path)


def _block(nodes: Iterable[Node], scope: _Scope) -> str:
    scope = scope.inside(scope.dot, {})
    return "".join(_node(node, scope) for node in nodes)


def _node(node: Node, scope: _Scope) -> str:
    match node:
        case Text(text):
            return text
        case Pipe():
            value = _value(node, scope)
            if node.variable:
                scope.variables[node.variable] = value
                return ""
            return shown(value)
        case Branch("range"):
            return _repeated(node, scope)
        case Branch():
            value = _value(node.pipe, scope)
            if not _is_true(value):
                return _block(node.otherwise, scope)
            declared = dict.fromkeys(node.variables, value)
            dot = value if node.word == "with" else scope.dot
            return _block(node.then, scope.inside(dot, declared))


def _repeated(node: Branch, scope: _Scope) -> str:
    items = _value(node.pipe, scope)
    pairs: list[tuple[object, object]]
    if isinstance(items, dict):
        pairs = sorted(items.items())
    elif isinstance(items, list | tuple):
        pairs = list(enumerate(items))
    elif items is None:
        pairs = []
    else:
        raise refused("{{range}} over what is no list")
    if not pairs:
        return _block(node.otherwise, scope)
    return "".join(
        _block(node.then, scope.inside(item, _loop_variables(node.variables, key, item)))
        for key, item in pairs
    )


def _loop_variables(names: Sequence[str], key: object, item: object) -> dict[str, object]:
    if len(names) > 2:
        raise refused("{{range}} with more than two variables")
    return dict(zip(names, (key, item) if len(names) == 2 else (item,), strict=False))


def _is_true(value: object) -> bool:
    return bool(value) and value is not NO_VALUE


def _value(pipe: Pipe, scope: _Scope) -> object:
    piped: list[object] = []
    for command in pipe.commands:
        head, *rest = command
        if isinstance(head, Function):
            piped = [call(head.name, [*(_operand(each, scope) for each in rest), *piped])]
        elif head == Field("", ("Label",)) and "Label" not in scope.item:
            arguments = [*(_operand(each, scope) for each in rest), *piped]
            piped = [scope.labels.get(str(arguments[0]), "") if arguments else ""]
        elif rest or piped:
            raise refused("a field or literal with arguments")
        else:
            piped = [_operand(head, scope)]
    return piped[0]


def _operand(operand: Literal | Field | Function | Pipe, scope: _Scope) -> object:
    match operand:
        case Literal(value):
            return value
        case Pipe():
            return _value(operand, scope)
        case Function(name):
            return call(name, [])
        case Field(base, path):
            return _field(base, path, scope)


def _field(base: Pipe | str, path: tuple[str, ...], scope: _Scope) -> object:
    if isinstance(base, Pipe):
        return _nested(path, _value(base, scope))
    if base == "$":
        return _nested(path, scope.item)
    if base:
        if base not in scope.variables:
            raise ConfigError(f"template: undefined variable {base}")
        return _nested(path, scope.variables[base])
    if path and scope.dot is scope.item and path[0] not in scope.item:
        if ".".join(path) in scope.item:
            return scope.item[".".join(path)]
        known = ", ".join(f".{name}" for name in scope.item)
        raise ConfigError(
            f"template: there is no field .{'.'.join(path)}", fix=f"use one of {known}"
        )
    return _nested(path, scope.dot)


def _nested(path: Sequence[str], found: object) -> object:
    """`.Config.Cmd`; what a map does not have is no error, as in Go."""
    for name in path:
        found = found.get(name, NO_VALUE) if isinstance(found, dict) else NO_VALUE
    return found
