"""A JSON Schema compiled to closures that say quickly that a document is good.

jsonschema finds every error and says where, but takes some hundred milliseconds to import and a
millisecond per service. Nearly every document is good, so it is asked this first. The answer True
is certain; False means "ask jsonschema". Only the keywords of our own schemas are known (see
`_RULES`); a schema with any other is refused at once, so that none is ever overlooked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final, cast

from orchestra.config.tree import Map, Seq

Check = Callable[[object], bool]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict, Map),
    "array": (list, Seq),
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
    "null": (type(None),),
}
_NOTES = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "deprecated"})
_RULES = frozenset(
    {
        "type", "properties", "patternProperties", "additionalProperties", "required", "items",
        "uniqueItems", "enum", "pattern", "minimum", "maximum",
    }
)  # fmt: skip


class UnknownKeyword(ValueError):
    """The schema has a keyword, or a use of one, that this compiler does not know."""


def compile_schema(schema: Mapping[str, object]) -> Check:
    """The check for *schema*. Raises UnknownKeyword, for a definition when it is first used."""
    return _Compiler(schema).check(schema)


def _always(_value: object) -> bool:
    return True


def _never(_value: object) -> bool:
    return False


class _Compiler:
    """Turns nodes of one schema into checks; each definition once, when it is first needed."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._definitions = _mapping(root.get("$defs", {}))
        self._compiled: dict[str, Check] = {}

    def check(self, schema: object) -> Check:
        if isinstance(schema, bool):
            return _always if schema else _never
        node = _mapping(schema)
        if "$ref" in node:
            return self._reference(node)
        unknown = node.keys() - _RULES - _NOTES
        if unknown:
            raise UnknownKeyword(f"keywords {sorted(unknown)}")
        by_type = {kind: self._for_type(kind, node) for kind in _types_of(node)}

        def of_type(value: object) -> bool:
            rule = by_type.get(type(value))
            return rule is not None and rule(value)

        return of_type

    def _reference(self, node: Mapping[str, object]) -> Check:
        beside = node.keys() - _NOTES - {"$ref"}
        if beside:
            raise UnknownKeyword(f"{sorted(beside)} beside $ref")
        name = str(node["$ref"]).removeprefix("#/$defs/")
        compiled, definitions = self._compiled, self._definitions

        def referred(value: object) -> bool:
            check = compiled.get(name)
            if check is None:
                check = compiled[name] = self.check(definitions[name])
            return check(value)

        return referred

    def _for_type(self, kind: type, node: Mapping[str, object]) -> Check:
        """All rules of *node* that say something of values of *kind*."""
        if "enum" in node:
            return _one_of(node["enum"])
        if issubclass(kind, dict):
            return self._for_objects(node)
        if issubclass(kind, list):
            return self._for_lists(node)
        if kind is str and "pattern" in node:
            search = re.compile(str(node["pattern"])).search
            return lambda value: search(cast(str, value)) is not None
        if kind in (int, float) and ("minimum" in node or "maximum" in node):
            low, high = _bound(node, "minimum"), _bound(node, "maximum")
            return lambda value: low <= cast(float, value) <= high
        return _always

    def _for_objects(self, node: Mapping[str, object]) -> Check:
        properties = {
            name: self.check(rule) for name, rule in _mapping(node.get("properties", {})).items()
        }
        patterns = [
            (re.compile(pattern).search, self.check(rule))
            for pattern, rule in _mapping(node.get("patternProperties", {})).items()
        ]
        if any(search(name) for search, _ in patterns for name in properties):
            raise UnknownKeyword("a property that a pattern matches as well")
        rest = self.check(node.get("additionalProperties", True))
        required = frozenset(_strings(node.get("required", ())))

        def check_by_pattern(key: object, value: object) -> bool:
            if type(key) is not str:
                return False
            rules = [rule for search, rule in patterns if search(key)] or [rest]
            return all(rule(value) for rule in rules)

        def of_object(value: object) -> bool:
            items = _mapping(value)
            for key, item in items.items():
                rule = properties.get(key)
                good = check_by_pattern(key, item) if rule is None else rule(item)
                if not good:
                    return False
            return required <= items.keys()

        return of_object

    def _for_lists(self, node: Mapping[str, object]) -> Check:
        item_check = self.check(node.get("items", True))
        unique = bool(node.get("uniqueItems", False))

        def of_list(value: object) -> bool:
            items = _sequence(value)
            return all(map(item_check, items)) and (not unique or is_unique(items))

        return of_list


def is_unique(items: Sequence[object]) -> bool:
    """No two of *items* are equal, as JSON Schema compares them; in linear time."""
    return len(set(map(identity, items))) == len(items)


def identity(value: object) -> Hashable:
    """Equal for values that JSON Schema holds to be equal: 1 and 1.0, but not 1 and true."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, dict):
        return frozenset((key, identity(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(map(identity, value))
    return value


def _one_of(choices: object) -> Check:
    allowed = frozenset(_strings(choices))
    return lambda value: value in allowed


def _types_of(node: Mapping[str, object]) -> list[type]:
    names = node.get("type", tuple(_TYPES))
    names = (names,) if isinstance(names, str) else _strings(names)
    return [kind for name in names for kind in _TYPES[name]]


def _bound(node: Mapping[str, object], keyword: str) -> float:
    unbounded = float("-inf") if keyword == "minimum" else float("inf")
    return cast(float, node.get(keyword, unbounded))


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value)


def _sequence(value: object) -> Sequence[object]:
    return cast(Sequence[object], value)


def _strings(value: object) -> Sequence[str]:
    return cast(Sequence[str], value)
