"""jsonschema's errors in our own words: what was expected at which place, and how to mend it.

Our schemas have no `oneOf` or `anyOf`: an attribute with a short and a long form lists both types,
so each error is already the one that matters, and this is a table from keyword to sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from jsonschema import Draft202012Validator, ValidationError, validators

from orchestra.config.accept import identity, is_unique
from orchestra.config.problems import problem
from orchestra.config.values import PULL_POLICY_FIX
from orchestra.config.wording import near_miss, quote
from orchestra.model.source import Position, spell_path
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.errors import ConfigError
    from orchestra.model.source import SourceMap, TreePath

_Schema = Mapping[str, object]

_TYPE_NAMES: Final[Mapping[str, str]] = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "boolean": "true or false",
    "number": "a number",
    "integer": "a whole number",
    "null": "nothing",
}
_LONGEST_CHOICE = 12
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|h|m|s))+")
_PATTERN_FIXES: Final[Mapping[str, str]] = {
    "container_name": 'use two or more letters, digits, "_", "." and "-"; '
    "the first is a letter or digit",
    "pull_policy": PULL_POLICY_FIX,
}
_NAME_PATTERN = "^[a-zA-Z0-9._-]+$"


class _Complaint(NamedTuple):
    """One problem before its position is known; *path* is the place it is reported for."""

    path: TreePath
    text: str
    fix: str = ""
    key: TreePath = ()  # point at this key instead of the value at *path*


def explain(tree: Mapping[str, object], schema: _Schema, sources: SourceMap) -> list[ConfigError]:
    """Every way in which *tree* breaks *schema*, in the order of the file."""
    complaints = list(_odd_keys(tree, ())) or [
        complaint
        for error in _Validator(schema).iter_errors(tree)
        for complaint in _RULES[str(error.validator)](_Broken(error, schema))
    ]
    errors = [_located(complaint, sources) for complaint in dict.fromkeys(complaints)]
    return sorted(errors, key=lambda error: error.where or Position("", 0, 0))


def _unique_items(
    _validator: object, unique: object, instance: object, _schema: object
) -> Iterator[ValidationError]:
    """As jsonschema's own, which compares each item with each: a list may have thousands."""
    if unique and isinstance(instance, list) and not is_unique(instance):
        yield ValidationError("has items that are equal")


_Validator = validators.extend(Draft202012Validator, {"uniqueItems": _unique_items})  # type: ignore[no-untyped-call]  # of jsonschema's stubs


# -- where ----------------------------------------------------------------------------------------
def _located(complaint: _Complaint, sources: SourceMap) -> ConfigError:
    where = sources.key(complaint.key) if complaint.key else sources.value(complaint.path)
    return problem(complaint.path, complaint.text, where, complaint.fix)


def _odd_keys(tree: object, path: TreePath) -> Iterator[_Complaint]:
    """Keys that are no strings, which JSON Schema has no words for."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if isinstance(key, str):
                yield from _odd_keys(value, (*path, key))
            else:
                found = str(key).lower() if isinstance(key, bool) else str(key)
                yield _Complaint(
                    path, f"the key {found} is {_found(key)}, not a string", f'write "{found}":'
                )
    elif isinstance(tree, list):
        for index, item in enumerate(tree):
            yield from _odd_keys(item, (*path, index))


# -- what -----------------------------------------------------------------------------------------
class _Broken:
    """A jsonschema error with what the sentences need of it."""

    def __init__(self, error: ValidationError, root: _Schema) -> None:
        self.path: TreePath = tuple(error.absolute_path)
        self.value: object = error.instance
        self.rule: object = error.validator_value
        self.schema: _Schema = error.schema if isinstance(error.schema, Mapping) else {}
        self.root = root
        self.example = _example(root, list(error.absolute_schema_path))

    def for_example(self) -> str:
        """A fix that shows how the attribute is written, or ""."""
        names = [step for step in self.path if isinstance(step, str)]
        if self.example is None or not names:
            return ""
        return f"for example {spell_path((names[-1],))}: {_flow(self.example)}"


def _example(root: _Schema, schema_path: Sequence[str | int]) -> object:
    """How the attribute that *schema_path* leads through last is written.

    The example at the place of use wins over its definition's, a list's over its items'.
    """
    node = root
    example: object = None
    steps = iter(schema_path)
    for step in steps:
        used, node = node, _resolved(root, node)
        if example is None:
            example = _first_example(used) or _first_example(node)
        if step in ("properties", "patternProperties"):
            node, example = _mapping(_mapping(node[step])[str(next(steps))]), None
        elif step == "items":
            node = _mapping(node[step])
        else:
            break  # the keyword that failed
    return example


def _first_example(schema: _Schema) -> object:
    return next(iter(_sequence(schema.get("examples", ()))), None)


def _resolved(root: _Schema, node: _Schema) -> _Schema:
    """*node*, or the definition that it refers to."""
    if "$ref" not in node:
        return node
    return _mapping(_mapping(root["$defs"])[str(node["$ref"]).removeprefix("#/$defs/")])


def _wrong_type(broken: _Broken) -> Iterator[_Complaint]:
    value = broken.value
    types = [broken.rule] if isinstance(broken.rule, str) else list(_strings(broken.rule))
    fix = broken.for_example()
    if isinstance(value, int) and not isinstance(value, bool) and _is_duration(broken.example):
        fix = f'write it with a unit: "{value}s"'
    elif isinstance(value, bool | int) and "string" in types and "boolean" not in types:
        fix = f'put it in quotes: "{_flow(value)}"'
    elif isinstance(value, str) and "array" in types:
        fix = f"make it a list: [{_flow(value)}]"
    expected = _expected(types, broken.schema)
    yield _Complaint(broken.path, f"expected {expected}, found {_found(value)}", fix)


def _is_duration(example: object) -> bool:
    """Is an attribute that is written like *example* a length of time?"""
    return isinstance(example, str) and _DURATION.fullmatch(example) is not None


def _expected(types: Sequence[str], schema: _Schema) -> str:
    """The types in words; null is not offered where there is anything else to write."""
    names = [_TYPE_NAMES[name] for name in types if name != "null" or len(types) == 1]
    items = schema.get("items")
    if "array" in types and isinstance(items, Mapping) and items.get("type") == "string":
        names[names.index("a list")] = "a list of strings"
    return _or(names)


def _found(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"a number ({value})"
        case str():
            return f"a string ({quote(value)})"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__}"


def _unknown_key(broken: _Broken) -> Iterator[_Complaint]:
    known = list(_mapping(broken.schema.get("properties", {})))
    patterns = list(_mapping(broken.schema.get("patternProperties", {})))
    for key in _mapping(broken.value):
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        at = (*broken.path, key)
        if known:
            yield _Complaint(broken.path, *_unknown_attribute(key, known, broken), at)
        elif key and _NAME_PATTERN in patterns:
            fix = 'use letters, digits, ".", "_" and "-" only'
            yield _Complaint(broken.path, f"{quote(key)} cannot be a name here", fix, at)
        else:
            yield _Complaint(broken.path, f"the key {quote(key)} is empty", "give it a name", at)


def _unknown_attribute(key: str, known: Sequence[str], broken: _Broken) -> tuple[str, str]:
    text, note = f"unknown attribute {quote(key)}", quote(f"x-{key}")
    meant = near_miss(key, known)
    if meant:
        return (
            f"{text}; did you mean {quote(meant)}?",
            f"write {quote(meant)}, or {note} to keep a note",
        )
    below = _attribute_below(key, broken.schema, broken.root, depth=3)
    if below:
        return text, f"write it under {'.'.join(below)}:"
    if not broken.path:
        return text, _top_level_fix(key, broken)
    if len(known) <= _LONGEST_CHOICE:
        return text, f"known here: {', '.join(sorted(known))}"
    return text, f"remove it, or rename it {note} to keep it as a note"


def _top_level_fix(key: str, broken: _Broken) -> str:
    """What a stray top-level key was meant as: a service, or an attribute of one."""
    value = _mapping(broken.value)[key]
    service = _resolved(broken.root, {"$ref": "#/$defs/service"})
    attributes = _mapping(service["properties"])
    if isinstance(value, Mapping) and any(name in attributes for name in value):
        return f"put the service {quote(key)} under services:"
    if key in attributes:
        return f"{key} belongs to a service: put it under services.NAME"
    return f'known here: {", ".join(_mapping(broken.root["properties"]))}; or begin with "x-"'


def _attribute_below(key: str, node: _Schema, root: _Schema, *, depth: int) -> list[str]:
    """The path of attributes from *node* to the nearest one that has a property *key*, or []."""
    inner = {
        name: _resolved(root, _mapping(schema))
        for name, schema in _mapping(node.get("properties", {})).items()
    }
    for name, schema in inner.items():
        if key in _mapping(schema.get("properties", {})):
            return [name]
    for name, schema in inner.items() if depth > 1 else ():
        rest = _attribute_below(key, schema, root, depth=depth - 1)
        if rest:
            return [name, *rest]
    return []


def _missing(broken: _Broken) -> Iterator[_Complaint]:
    # jsonschema reports each missing name on its own; `explain` drops the repetitions
    missing = [name for name in _strings(broken.rule) if name not in _mapping(broken.value)]
    properties = _mapping(broken.schema["properties"])
    for name in missing:
        example = _first_example(_mapping(properties[name]))
        fix = f"add it, for example {name}: {_flow(example)}" if example is not None else "add it"
        yield _Complaint(broken.path, f'"{name}" is missing', fix)


def _not_a_choice(broken: _Broken) -> Iterator[_Complaint]:
    choices = _strings(broken.rule)
    meant = near_miss(broken.value, choices) if isinstance(broken.value, str) else ""
    hint = f'; did you mean "{meant}"?' if meant else ""
    yield _Complaint(
        broken.path,
        f"{_flow(broken.value)} is not one of the choices{hint}",
        f"use {_or(choices)}",
    )


def _wrong_pattern(broken: _Broken) -> Iterator[_Complaint]:
    found = f"{_flow(broken.value)} is not understood here"
    fix = _PATTERN_FIXES.get(str(broken.path[-1])) or broken.for_example()
    yield _Complaint(broken.path, found, fix)


def _out_of_range(broken: _Broken) -> Iterator[_Complaint]:
    low, high = broken.schema.get("minimum"), broken.schema.get("maximum")
    side = "less than" if broken.rule == low and broken.value < low else "more than"  # type: ignore[operator]  # numbers, says the keyword
    span = f"{low} or more" if high is None else f"a number from {low} to {high}"
    yield _Complaint(broken.path, f"{broken.value} is {side} {broken.rule}", f"use {span}")


def _repeated(broken: _Broken) -> Iterator[_Complaint]:
    first: dict[Hashable, int] = {}
    for index, item in enumerate(_sequence(broken.value)):
        earlier = first.setdefault(identity(item), index)
        if earlier != index:
            text = f"{_flow(item)} is there already, as item {earlier + 1}"
            yield _Complaint((*broken.path, index), text, "remove one of them")


_RULES: Final[Mapping[str, Callable[[_Broken], Iterator[_Complaint]]]] = {
    "type": _wrong_type,
    "additionalProperties": _unknown_key,
    "required": _missing,
    "enum": _not_a_choice,
    "pattern": _wrong_pattern,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "uniqueItems": _repeated,
}


# -- small print ----------------------------------------------------------------------------------
def _flow(value: object) -> str:
    """*value* on one line, as YAML would take it."""
    match value:
        case str():
            return quote(value)
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _or(choices: Sequence[str]) -> str:
    """The choices as a person lists them; "true or false" brings its own "or"."""
    *others, last = choices
    return ", ".join(others) + (", " if " or " in last else " or ") + last if others else last


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value)


def _sequence(value: object) -> Sequence[object]:
    return cast(Sequence[object], value)


def _strings(value: object) -> Sequence[str]:
    return cast(Sequence[str], value)
