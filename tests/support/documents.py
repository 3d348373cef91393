"""Documents made from a JSON Schema: good ones, and good ones with something broken in them.

Knows the keywords that compose schemas use. Everything is drawn as it is needed, so a schema of
thousands of nodes costs nothing until a document goes there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Any
Draw = Callable[[st.SearchStrategy[Any]], Any]

_NAMES = st.sampled_from(["web", "db", "a", "A.b-c_1", "nofile", "x-note", "x-", "KEY"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0, "", "a", "b\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=5,
)
_ALL_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def documents(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Documents that *schema* accepts, or nearly so: items of a list may be equal."""

    @st.composite
    def document(draw: Draw) -> Any:
        return _value(draw, schema, schema, 0)

    return document()


def broken_documents(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Documents with up to three changes at random places."""

    @st.composite
    def broken(draw: Draw) -> Any:
        document = _value(draw, schema, schema, 0)
        for _ in range(draw(st.integers(1, 3))):
            document = _broken(draw, copy.deepcopy(document), schema)
        return document

    return broken()


def resolve(root: Mapping[str, Any], node: Schema) -> Schema:
    """*node* with its reference followed."""
    while isinstance(node, Mapping) and "$ref" in node:
        _, where, name = node["$ref"].split("/")
        node = root[where][name]
    return node


def _value(draw: Draw, root: Mapping[str, Any], node: Schema, depth: int) -> Any:
    node = resolve(root, node)
    if not isinstance(node, Mapping) or not node:
        return draw(_JSON)
    if "oneOf" in node:
        return _value(draw, root, draw(st.sampled_from(node["oneOf"])), depth)
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    types = node.get("type", _ALL_TYPES)
    match draw(st.sampled_from([types] if isinstance(types, str) else list(types))):
        case "object":
            return _object(draw, root, node, depth)
        case "array":
            return _array(draw, root, node, depth)
        case "string":
            return draw(
                st.from_regex(node["pattern"]) if "pattern" in node else st.text(max_size=4)
            )
        case "integer":
            return draw(st.integers(node.get("minimum", -9), node.get("maximum", 99)))
        case "number":
            return draw(st.integers(-9, 9) | st.sampled_from([0.5, 3.0]))
        case "boolean":
            return draw(st.booleans())
        case _:
            return None


def _object(draw: Draw, root: Mapping[str, Any], node: Schema, depth: int) -> dict[str, Any]:
    properties = node.get("properties", {})
    optional = sorted(set(properties) - set(node.get("required", ())))
    names = list(node.get("required", ()))
    if optional:
        most = 8 if depth < 3 else 2
        names += draw(st.lists(st.sampled_from(optional), max_size=most, unique=True))
    made = {name: _value(draw, root, properties[name], depth + 1) for name in names}
    for pattern, inner in node.get("patternProperties", {}).items():
        if draw(st.booleans()):
            name = draw(
                st.just("x-note") if pattern == "^x-" else st.sampled_from(["web", "nofile"])
            )
            made[name] = _value(draw, root, inner, depth + 1)
    return made


def _array(draw: Draw, root: Mapping[str, Any], node: Schema, depth: int) -> list[Any]:
    count = draw(st.integers(0, 2))
    return [_value(draw, root, node.get("items", {}), depth + 1) for _ in range(count)]


def _broken(draw: Draw, document: Any, schema: Mapping[str, Any]) -> Any:
    """*document* with one change: a value replaced, a key added, renamed or taken away."""
    places = list(_places(document))
    if not places:
        return draw(_JSON)
    parent, key = draw(st.sampled_from(places))
    known = sorted(resolve(schema, _service(schema))["properties"])
    match draw(st.sampled_from(["replace", "add", "rename", "remove", "repeat"])):
        case "replace":
            parent[key] = draw(_JSON)
        case "remove":
            del parent[key]
        case "rename" if isinstance(parent, dict):
            parent[draw(_NAMES | st.sampled_from(known) | st.just(""))] = parent.pop(key)
        case "repeat" if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
        case _ if isinstance(parent, dict):
            parent[draw(_NAMES | st.sampled_from(known) | st.text(max_size=3))] = draw(_JSON)
        case _:
            parent.append(draw(_JSON))
    return document


def _service(schema: Mapping[str, Any]) -> Schema:
    (service,) = schema["properties"]["services"]["patternProperties"].values()
    return service


def _places(document: Any) -> list[tuple[Any, Any]]:
    """(container, key or index) of every value in *document*."""
    found: list[tuple[Any, Any]] = []
    pending = [document] if isinstance(document, dict | list) else []
    while pending:
        container = pending.pop()
        keys = container if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                pending.append(container[key])
    return found
