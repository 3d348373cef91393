"""Our compose schema accepts and refuses what the specification's own schema does.

The specification's schema is not part of this project: ORCHESTRA_COMPOSE_SPEC_SCHEMA names it, or
it lies in `../shared/reference` beside the checkout. What differs on purpose is listed in
`docs/schema-differences.md`, and here.
"""

from __future__ import annotations

import copy
import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from jsonschema import Draft7Validator, Draft202012Validator

from orchestra.config.schema import load_schema
from tests.support.documents import broken_documents, documents, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_REFERENCE = os.environ.get("ORCHESTRA_COMPOSE_SPEC_SCHEMA") or os.path.join(
    _CHECKOUT, "..", "shared", "reference", "compose-spec.schema.json"
)

pytestmark = pytest.mark.skipif(
    not os.path.exists(_REFERENCE),
    reason="needs the specification's schema: set ORCHESTRA_COMPOSE_SPEC_SCHEMA to its path",
)

Tree = Any


def _reference() -> dict[str, Tree]:
    if not os.path.exists(_REFERENCE):
        return {"properties": {"services": {"patternProperties": {"": {"properties": {}}}}}}
    with open(_REFERENCE, encoding="utf-8") as file:
        loaded: dict[str, Tree] = json.load(file)
    return loaded


def _ours_without_differences() -> dict[str, Tree]:
    """Our schema with everything taken out that is newer than the reference."""
    schema: dict[str, Tree] = copy.deepcopy(load_schema("compose"))
    service = schema["$defs"]["service"]["properties"]
    if "pre_start" not in REFERENCE.get("definitions", {}).get("service", {}).get("properties", {}):
        del service["pre_start"]
        del schema["$defs"]["build"]["properties"]["no_cache_filter"]
        (use,) = service["models"]["patternProperties"].values()
        use["type"] = "object"
    return schema


REFERENCE = _reference()
OURS = _ours_without_differences()
_theirs = Draft7Validator(REFERENCE)
_ours = Draft202012Validator(OURS)

_slow = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def agree(document: Tree) -> None:
    ours, theirs = _ours.is_valid(document), _theirs.is_valid(document)
    assert ours == theirs, f"ours says {ours}, the specification {theirs}"


@_slow
@given(documents(REFERENCE))
@example({"services": {"a": {"image": "b"}}})
def test_documents_of_the_specification_are_judged_alike(document: Tree) -> None:
    agree(document)


@_slow
@given(documents(OURS))
def test_documents_of_ours_are_judged_alike(document: Tree) -> None:
    agree(document)


@_slow
@given(broken_documents(REFERENCE))
def test_broken_documents_of_the_specification_are_judged_alike(document: Tree) -> None:
    agree(document)


@_slow
@given(broken_documents(OURS))
def test_broken_documents_of_ours_are_judged_alike(document: Tree) -> None:
    agree(document)


PROBES: list[Tree] = [
    "", "x", "a b", "host", "private", "all", "always", "every_1h", "z", "enabled", "sync",
    "start-first", 0, 1, -1, 1.5, 101, 2000, True, None, [], ["a"], ["a", "a"], [1], [1, 1],
    [True], [None], [{}], ["x", {"a": 1}], {}, {"x-a": 1}, {"bogus": 1}, {"name": "x"}, {"": 1},
    {"a": None}, {"a": 1}, {"a": {}}, {"a": "b"}, {"a": ["b"]}, {"a": ["b", "b"]}, {"A": {}},
    {"a b": {}}, {"a": True}, {"a": []}, {"path": "x"}, [{"path": "x"}], [{"source": "x"}],
    [{"type": "bind"}], [{"command": "x"}], [{"capabilities": ["a"]}], [{"x-b": 1}],
    {"condition": "service_started"}, {"a": {"condition": "service_started"}},
    {"a": {"soft": 1, "hard": 1}}, {"a": {"soft": 1}}, {"command": "x"}, {"service": "x"},
    [{"path": "x", "action": "sync"}], {"type": "x"}, {"model": "x"},
]  # fmt: skip


def test_every_place_of_the_specification_judges_every_probe_alike() -> None:
    places = list(_places(REFERENCE, (), lambda value: value))
    assert len(places) > 400
    for path, wrap in places:
        for probe in PROBES:
            document = wrap(probe)
            assert _ours.is_valid(document) == _theirs.is_valid(document), (path, probe)


def _places(
    node: Tree, path: tuple[str, ...], wrap: Callable[[Tree], Tree]
) -> Iterator[tuple[tuple[str, ...], Callable[[Tree], Tree]]]:
    """(path, function that puts a value there in an otherwise good document)."""
    node = resolve(REFERENCE, node)
    yield path, wrap
    for form in [node, *(resolve(REFERENCE, form) for form in node.get("oneOf", ()))]:
        base = {name: _least(form["properties"][name]) for name in form.get("required", ())}
        below = [*form.get("properties", {}).items()]
        patterns = form.get("patternProperties", {}).values()
        below += [("nofile", inner) for inner in patterns if inner]
        for name, inner in below:
            yield from _places(inner, (*path, name), partial(_put, wrap, base, name))
        if "items" in form:
            yield from _places(form["items"], (*path, "[]"), partial(_put_item, wrap))


def _put(wrap: Callable[[Tree], Tree], base: dict[str, Tree], name: str, value: Tree) -> Tree:
    return wrap({**base, name: value})


def _put_item(wrap: Callable[[Tree], Tree], value: Tree) -> Tree:
    return wrap([value])


def _least(node: Tree) -> Tree:
    """The simplest value that *node* accepts."""
    node = resolve(REFERENCE, node)
    if "enum" in node:
        return node["enum"][0]
    return {"string": "x", "array": ["x"]}.get(str(node.get("type")), 1)


@pytest.mark.parametrize(
    "service",
    [
        {"pre_start": [{"command": "x", "image": "y", "per_replica": True}]},
        {"build": {"no_cache_filter": ["stage"]}},
        {"models": {"llm": None}},
    ],
)
def test_what_is_newer_than_the_reference_is_accepted(service: Tree) -> None:
    document = {"services": {"web": service}}
    assert Draft202012Validator(load_schema("compose")).is_valid(document)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(load_schema("compose"))
