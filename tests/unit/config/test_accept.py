"""The quick yes is sound: what it accepts, jsonschema accepts; and it accepts what people write."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestra.config.accept import UnknownKeyword, compile_schema
from orchestra.config.schema import Validator, load_schema
from orchestra.config.tree import TreeSources
from tests.support.documents import broken_documents, documents

SCHEMA = load_schema("compose")
VALIDATOR = Draft202012Validator(SCHEMA)
accepts = compile_schema(SCHEMA)

_drawn = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@_drawn
@given(broken_documents(SCHEMA))
def test_what_it_accepts_is_valid(document: Any) -> None:
    assert VALIDATOR.is_valid(document) or not accepts(document)


@_drawn
@given(broken_documents(SCHEMA))
def test_what_is_invalid_is_explained_and_nothing_else(document: Any) -> None:
    tree = document if isinstance(document, dict) else {}
    assert (Validator().validate(tree, TreeSources(tree)) == []) is VALIDATOR.is_valid(tree)


@_drawn
@given(documents(SCHEMA))
def test_what_is_valid_it_accepts_unless_numbers_make_it_unsure(document: Any) -> None:
    assert accepts(document) or not VALIDATOR.is_valid(document) or _has_floats(document)


def _has_floats(value: Any) -> bool:
    """A whole number with a point is an integer to JSON Schema; here it is left to jsonschema."""
    if isinstance(value, dict):
        return any(map(_has_floats, value.values()))
    if isinstance(value, list):
        return any(map(_has_floats, value))
    return isinstance(value, float)


@given(st.lists(st.sampled_from([1, 1.0, True, "1", None, [1], [True], {"a": 1}]), max_size=3))
def test_items_are_equal_as_jsonschema_has_it(items: list[object]) -> None:
    # Two at a time: among more, jsonschema compares only those that a sort makes neighbours.
    is_unique = Draft202012Validator({"type": "array", "uniqueItems": True}).is_valid
    unique = all(is_unique(list(pair)) for pair in combinations(items, 2))
    assert compile_schema({"type": "array", "uniqueItems": True})(items) is unique


def test_keys_that_are_no_strings_are_left_to_the_explanation() -> None:
    assert not accepts({"services": {1: {"image": "x"}}})


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [{"type": "string"}]},
        {"$ref": "#/$defs/a", "type": "string", "$defs": {"a": {}}},
        {"type": "object", "properties": {"x-a": {}}, "patternProperties": {"^x-": True}},
    ],
)
def test_what_it_does_not_know_it_refuses_to_compile(schema: dict[str, object]) -> None:
    with pytest.raises(UnknownKeyword):
        compile_schema(schema)


def test_it_knows_every_definition_of_ours() -> None:
    for name in SCHEMA["$defs"]:  # type: ignore[attr-defined]  # a mapping
        compile_schema({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})({})
