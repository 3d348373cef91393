"""No document makes the loader raise anything but ConfigError."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra.config.pipeline import load
from orchestra.config.request import LoadRequest
from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.project import ProjectDirectory

BASE: dict[str, Any] = {
    "name": "x",
    "services": {
        "web": {
            "image": "a",
            "build": {"context": ".", "args": ["A=1"], "ulimits": {"nofile": 1}, "secrets": ["s"]},
            "command": "a b",
            "environment": ["A=1", "B"],
            "env_file": [{"path": ".e", "required": False}],
            "ports": ["8080:80", {"target": 81, "published": "82"}],
            "volumes": ["v1:/a", "./x:/b", {"type": "tmpfs", "target": "/c", "tmpfs": {"size": 1}}],
            "networks": {"n": {"ipv4_address": "10.0.0.2", "priority": 1}},
            "depends_on": {"db": {"condition": "service_started"}},
            "healthcheck": {"test": ["CMD", "x"], "interval": "1s", "retries": 1},
            "deploy": {"resources": {"limits": {"cpus": "1", "memory": "1m"}}, "replicas": 1},
            "develop": {"watch": [{"path": ".", "action": "sync", "target": "/x"}]},
            "logging": {"driver": "x", "options": {"a": 1}},
            "ulimits": {"nofile": {"soft": 1, "hard": 2}},
            "secrets": ["s"],
            "configs": [{"source": "c", "mode": "0440"}],
            "extra_hosts": {"h": "1.1.1.1"},
            "labels": {"a": "b"},
            "gpus": "all",
            "extends": {"service": "db"},
            "restart": "always",
            "mem_limit": "1m",
        },
        "db": {"image": "d", "profiles": []},
    },
    "networks": {"n": {"ipam": {"config": [{"subnet": "10.0.0.0/24"}]}}},
    "volumes": {"v1": {"external": True}},
    "secrets": {"s": {"environment": "S"}},
    "configs": {"c": {"content": "x"}},
}


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _paths(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _paths(value, (*path, index))


ODD = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 1.5, float("inf"), 10**30, "", "x", "${A}", "${", "a:b", "a=b", "1",
         "-5", "1m", "service:web", "8000-8001:80", "~", "/", "\x1b[31m", "all", "9" * 40]
    ),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["a", "source", "target", "x-a", "soft", "name"]), inner,
                      max_size=2),
    max_leaves=4,
)  # fmt: skip


def test_the_document_that_is_varied_is_taken_as_it_stands(project: ProjectDirectory) -> None:
    loaded = project.load("", files=("-",), stdin=json.dumps(BASE))
    assert loaded.project.service_names == ("db", "web")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(list(_paths(BASE))), ODD), min_size=1, max_size=3))
def test_any_value_in_any_place_is_taken_or_refused(
    project: ProjectDirectory, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    tree = copy.deepcopy(BASE)
    for path, value in changes:
        node: Any = tree
        for step in path[:-1]:
            if isinstance(node, dict):
                node = node.get(step)
            else:
                node = node[step] if isinstance(node, list) and step in range(len(node)) else None
        if isinstance(node, dict) or (isinstance(node, list) and path[-1] in range(len(node))):
            node[path[-1]] = value
    _load_or_refuse(project, json.dumps(tree))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(alphabet=st.sampled_from("services:web{}[]!*&<>|-,'\"$ \n\t#ab1\x00é"), max_size=60))
def test_any_text_is_taken_or_refused(project: ProjectDirectory, text: str) -> None:
    _load_or_refuse(project, text)


@pytest.mark.parametrize("depth", [50, 190, 1000])
def test_deep_extensions_are_taken_or_refused(project: ProjectDirectory, depth: int) -> None:
    nest = "[" * depth + "]" * depth
    _load_or_refuse(
        project, f"services: {{web: {{image: a, imge: b, x-a: {nest}}}}}\nx-b: {nest}\n"
    )


def _load_or_refuse(project: ProjectDirectory, text: str) -> None:
    faults: list[ConfigError] = []
    request = LoadRequest(cwd=project.path, environ={"A": "v"}, files=("-",), stdin=text)
    try:
        load(request)
    except ConfigError as error:
        faults.append(error)
    assert all(str(fault) for fault in faults)
