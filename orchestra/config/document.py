"""YAML text -> Map, with the place of every key and value.

The C composer builds the node graph, and one walk over it builds the tree: marks are the parser's
own objects, so positions cost nothing. Scalars follow YAML 1.2's core schema as go-yaml reads it
("yes" is a string and 22:22 is not a number), since that is what Docker Compose loads with.
"""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING, Any

from orchestra.config.libyaml import yaml
from orchestra.config.nesting import first_too_deep
from orchestra.config.tree import Map, Seq, position_of
from orchestra.config.wording import quote
from orchestra.errors import ConfigError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.source import Position, TreePath

_STR = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"
_BINARY = "tag:yaml.org,2002:binary"

RESET = "!reset"
OVERRIDE = "!override"

MAX_DEPTH = 200
MAX_EXPANSION = 100_000
"""Nodes that aliases may add to a document, beyond twenty times what is written in it."""
_TEXT_OF_A_NODE = 100
"""So many characters of a text count as another node."""

_INT_TEXT = re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)")
_FLOAT_TEXT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)"
    r"|\.(?:nan|NaN|NAN)"
)
_WORDS = {
    "": _NULL,
    "~": _NULL,
    "null": _NULL,
    "Null": _NULL,
    "NULL": _NULL,
    "true": _BOOL,
    "True": _BOOL,
    "TRUE": _BOOL,
    "false": _BOOL,
    "False": _BOOL,
    "FALSE": _BOOL,
    "<<": _MERGE,
}
_NUMBER_START = frozenset("0123456789+-.")


class Document(NamedTuple):
    """One YAML document; *resets* are the paths that !reset and !override were written at."""

    tree: Map
    resets: tuple[TreePath, ...]


class _Named(io.BytesIO):
    """A stream with the name that the parser puts into its marks."""

    def __init__(self, text: bytes, name: str) -> None:
        super().__init__(text)
        self.name = name


class _Composer(yaml.CSafeLoader):
    """The C composer with our resolution of plain scalars."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            if not implicit[0]:
                return _STR
            word = _WORDS.get(value)
            if word is not None:
                return word
            if value[0] in _NUMBER_START:
                if _INT_TEXT.fullmatch(value):
                    return _INT
                if _FLOAT_TEXT.fullmatch(value):
                    return _FLOAT
            return _STR
        return _MAP if kind is yaml.MappingNode else _SEQ


def read_documents(text: bytes, name: str) -> Iterator[Document]:
    """The documents of *text*, empty ones left out. Raises ConfigError at the first fault."""
    try:
        deep = first_too_deep(text, MAX_DEPTH + 1)
        if deep is not None:
            raise ConfigError("nested too deeply", where=position_of(deep)._replace(file=name))
        loader = _Composer(_Named(text, name))
        while loader.check_node():
            root = loader.get_node()
            document = None if root is None else _Builder(root).document()
            if document is not None:
                yield document
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        reason = " ".join(part for part in (exc.context, exc.problem) if part)
        if exc.context_mark is not None and reason.endswith(_NEVER_CLOSED):
            mark = exc.context_mark
        where = None if mark is None else position_of(mark)._replace(file=name)
        fix = _yaml_fix(reason, text, where)
        raise ConfigError(f"not valid YAML: {reason}", where=where, fix=fix) from exc
    except (yaml.YAMLError, UnicodeError) as exc:
        raise ConfigError(f"{name}: not valid YAML: {exc}") from exc
    except RecursionError as exc:
        raise ConfigError(f"{name}: nested too deeply") from exc


def _yaml_fix(reason: str, text: bytes, where: Position | None) -> str:
    lines = text.split(b"\n")
    line = lines[where.line - 1] if where is not None and where.line <= len(lines) else b""
    if line.lstrip(b" ").startswith(b"\t"):
        return "indent with spaces; YAML forbids tabs"
    for part, fix in _YAML_FIXES:
        if part in reason:
            return fix
    return ""


_NEVER_CLOSED = ("unexpected end of stream", "',' or ']'", "',' or '}'")
"""What is wrong is where it begins, not where the parser noticed."""

_YAML_FIXES = (
    ("unexpected end of stream", "close the quote that begins here"),
    ("mapping values are not allowed", "quote the value, or indent the key below its parent"),
    ("could not find expected ':'", 'write "key: value", with a space after the colon'),
    ("did not find expected key", "begin all keys of one mapping in the same column"),
    ("did not find expected '-'", "begin all items of one list in the same column"),
    ("did not find expected ',' or ']'", 'close the list with "]"'),
    ("did not find expected ',' or '}'", 'close the mapping with "}"'),
    ("did not find expected node content", "write a value, or close the bracket before it"),
    ("cannot start any token", "put the value in quotes"),
    ("undefined alias", "define the anchor with & before this line"),
)


class _Builder:
    """Walks one node graph. Nodes met again through an alias are built again: trees are trees."""

    def __init__(self, root: yaml.Node) -> None:
        self._root = root
        self._resets: list[TreePath] = []
        self._open: set[int] = set()
        self._built = 0
        self._limit = MAX_EXPANSION

    def document(self) -> Document | None:
        root = self._root
        if isinstance(root, yaml.ScalarNode) and root.tag == _NULL:
            return None
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(
                "a compose file is a mapping, this is " + _kind(root),
                where=position_of(root.start_mark),
                fix='begin with "services:" and the services below it',
            )
        self._limit += 20 * _written(root)
        tree = self._build(root, ())
        return Document(tree, tuple(self._resets))

    def _build(self, node: yaml.Node, path: TreePath) -> Any:
        tag = node.tag
        if tag.__class__ is str and tag[0] == "!":
            self._tagged(node, path)
        if isinstance(node, yaml.ScalarNode):
            if len(node.value) >= _TEXT_OF_A_NODE:
                self._spend(len(node.value) // _TEXT_OF_A_NODE, node)
            return _scalar(node)
        self._enter(node, path)
        built: Map | Seq
        if isinstance(node, yaml.MappingNode):
            built = self._mapping(node, path)
        else:
            built = self._sequence(node, path)
        self._open.discard(id(node))
        return built

    def _tagged(self, node: yaml.Node, path: TreePath) -> None:
        if node.tag not in {RESET, OVERRIDE}:
            raise ConfigError(
                f"unknown tag {node.tag}",
                where=position_of(node.start_mark),
                fix="compose files know !reset and !override",
            )
        self._resets.append(path)

    def _enter(self, node: yaml.Node, path: TreePath) -> None:
        if id(node) in self._open:
            raise ConfigError("an alias contains itself", where=position_of(node.start_mark))
        if len(path) > MAX_DEPTH:
            raise ConfigError("nested too deeply", where=position_of(node.start_mark))
        self._spend(len(node.value) + 1, node)
        self._open.add(id(node))

    def _spend(self, nodes: int, node: yaml.Node) -> None:
        self._built += nodes
        if self._built > self._limit:
            raise ConfigError(
                "aliases expand to too large a document", where=position_of(node.start_mark)
            )

    def _sequence(self, node: yaml.Node, path: TreePath) -> Seq:
        items = Seq()
        for child in node.value:
            if child.tag == RESET:
                continue
            items.append(self._build(child, (*path, len(items))))
            items.marks.append(child.start_mark)
        return items

    def _mapping(self, node: yaml.MappingNode, path: TreePath) -> Map:
        entries = Map()
        marks = entries.marks
        merged: list[Map] = []
        for key_node, child in node.value:
            if key_node.tag == _MERGE:
                merged += self._merge_sources(child, path)
                continue
            key = _key(key_node)
            if key in marks:
                first = position_of(marks[key][0])
                raise ConfigError(
                    f'"{key}" is written twice; first at line {first.line}',
                    where=position_of(key_node.start_mark),
                    fix="remove one of them, or give them different names",
                )
            marks[key] = (key_node.start_mark, child.start_mark)
            value = self._build(child, (*path, key))
            if child.tag != RESET:
                entries[key] = value
        for source in merged:
            for key, value in source.items():
                if key not in marks:
                    entries[key] = value
                    marks[key] = source.marks[key]
        return entries

    def _merge_sources(self, node: yaml.Node, path: TreePath) -> list[Map]:
        """The mappings that `<<` names, the one that wins first."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        sources = []
        for child in nodes:
            if not isinstance(child, yaml.MappingNode):
                raise ConfigError(
                    f"<< takes a mapping or a list of mappings, not {_kind(child)}",
                    where=position_of(child.start_mark),
                )
            sources.append(self._build(child, path))
        return sources


def _written(root: yaml.Node) -> int:
    """How many nodes are written, each counted once however many aliases lead to it."""
    seen: set[int] = set()
    pending = [root]
    count = 0
    while pending:
        node = pending.pop()
        count += 1
        if isinstance(node, yaml.ScalarNode) and len(node.value) < _TEXT_OF_A_NODE:
            continue
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            count += len(node.value) // _TEXT_OF_A_NODE
        elif isinstance(node, yaml.MappingNode):
            pending += [child for _, child in node.value]
        else:
            pending += node.value
    return count


def _key(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode) and node.tag in {_STR, _INT, _FLOAT, _BOOL, _NULL}:
        if node.tag == _STR:
            return str(node.value)
        raise ConfigError(
            f"the key {node.value or 'null'} is not a string",
            where=position_of(node.start_mark),
            fix=f'quote it: "{node.value}"',
        )
    raise ConfigError(
        f"a key must be a string, not {_kind(node)}", where=position_of(node.start_mark)
    )


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else f'the value "{node.value}"'


def _scalar(node: yaml.ScalarNode) -> Any:
    """The value of *node*. Raises ConfigError for a written tag that does not suit its text."""
    tag, text = node.tag, node.value
    if tag == _STR:
        return text
    if tag == _NULL or (tag in {RESET, OVERRIDE} and text == ""):
        return None
    convert = _CONVERSIONS.get(tag)
    if convert is None:
        return text
    try:
        return convert(text)
    except ValueError as exc:
        kind = tag.rpartition(":")[2]
        raise ConfigError(
            f"{quote(text)} is no {kind}, as the tag !!{kind} says",
            where=position_of(node.start_mark),
            fix="remove the tag, or correct the value",
        ) from exc


def _truth(text: str) -> bool:
    if _WORDS.get(text) != _BOOL:
        raise ValueError(text)
    return text.lower() == "true"


_LONGEST_INTEGER = 80
"""No attribute holds longer ones, and Python refuses to print them."""


def _integer(text: str) -> int | float | str:
    if len(text) > _LONGEST_INTEGER:
        return text
    if not _INT_TEXT.fullmatch(text):
        raise ValueError(text)
    digits = text.replace("_", "")
    sign = -1 if digits[0] == "-" else 1
    digits = digits.lstrip("+-").lower()
    if digits.startswith(("0x", "0b", "0o")):
        return sign * int(digits[2:], {"x": 16, "b": 2, "o": 8}[digits[1]])
    number = sign * (int(digits, 8) if len(digits) > 1 and digits[0] == "0" else int(digits))
    return number if -(2**63) <= number < 2**64 else float(number)


def _floating(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _binary(text: str) -> str:
    return base64.b64decode("".join(text.split()), validate=True).decode()


_CONVERSIONS = {_BOOL: _truth, _INT: _integer, _FLOAT: _floating, _BINARY: _binary}
