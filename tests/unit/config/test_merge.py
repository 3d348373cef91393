from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.config.document import read_documents
from orchestra.config.merge import merge_trees
from orchestra.config.problems import Problems
from orchestra.config.tree import Map, copy_tree, plain

if TYPE_CHECKING:
    from tests.support.project import ProjectDirectory


@pytest.fixture
def merged(project: ProjectDirectory) -> Any:
    def merge(base: str, over: str) -> dict[str, Any]:
        extra = "volumes: {v: }\nnetworks: {n: , m: }\n"
        others = "  db: {image: d}\n  cache: {image: c}\n"
        project.write("a.yaml", f"{extra}services:\n{others}  web:\n    {{image: a, {base}}}\n")
        project.write("b.yaml", f"services:\n  web:\n    {{{over}}}\n")
        return project.service("", files=("a.yaml", "b.yaml"))

    return merge


@pytest.mark.parametrize(
    ("base", "over", "attribute", "expected"),
    [
        ("command: a b", "command: [c]", "command", ["c"]),
        ("entrypoint: [a]", "entrypoint: b c", "entrypoint", ["b", "c"]),
        ("user: a", "user: b", "user", "b"),
        ("environment: [A=1, B=2]", "environment: {B: 3, C: }", "environment",
         {"A": "1", "B": "3", "C": None}),
        ("labels: {a: 1}", "labels: [a=2, b]", "labels", {"a": "2", "b": ""}),
        ("cap_add: [A, B]", "cap_add: [B, C]", "cap_add", ["A", "B", "C"]),
        ("dns: 1.1.1.1", "dns: [2.2.2.2, 1.1.1.1]", "dns", ["1.1.1.1", "2.2.2.2"]),
        ("dns_search: a", "dns_search: b", "dns_search", ["a", "b"]),
        ("tmpfs: /a", "tmpfs: [/b, /a]", "tmpfs", ["/a", "/b"]),
        ("expose: ['80']", "expose: ['81', '80']", "expose", ["80", "81"]),
        ("healthcheck: {test: [CMD, a, b], retries: 1}", "healthcheck: {test: c}", "healthcheck",
         {"test": ["CMD-SHELL", "c"], "retries": 1}),
        ("logging: {driver: a, options: {x: y}}", "logging: {options: {z: w}}", "logging",
         {"driver": "a", "options": {"x": "y", "z": "w"}}),
        ("logging: {driver: a, options: {x: y}}", "logging: {driver: b}", "logging",
         {"driver": "b"}),
        ("ulimits: {nofile: 1}", "ulimits: {nofile: {soft: 2, hard: 3}, nproc: 4}", "ulimits",
         {"nofile": {"soft": 2, "hard": 3}, "nproc": 4}),
        ("extra_hosts: {h: 1.1.1.1}", "extra_hosts: ['h=2.2.2.2', 'h=1.1.1.1']", "extra_hosts",
         ["h=1.1.1.1", "h=2.2.2.2"]),
        ("build: ./a", "build: {target: t}", "build",
         {"context": "/a", "target": "t", "dockerfile": "Dockerfile"}),
        ("sysctls: [a=1]", "sysctls: {a: 2}", "sysctls", {"a": "2"}),
        ("profiles: []", "profiles: []", "profiles", []),
        ("init: true", "init: !reset null", "init", "gone"),
        ("cap_add: [A]", "cap_add: !override [B]", "cap_add", ["B"]),
        ("cap_add: [A]", "cap_add: !reset []", "cap_add", "gone"),
    ],
)  # fmt: skip
def test_each_attribute_is_merged_by_its_rule(
    project: ProjectDirectory, merged: Any, base: str, over: str, attribute: str, expected: Any
) -> None:
    value = merged(base, over).get(attribute, "gone")
    if attribute == "build":
        value["context"] = value["context"].removeprefix(project.path)
    assert value == expected


def test_ports_are_appended_and_the_same_one_is_kept_once(merged: Any) -> None:
    ports = merged("ports: ['8080:80', '90']", "ports: ['8080:80', '8080:80/udp', '81:80']")
    assert [
        (port.get("published"), port["target"], port["protocol"]) for port in ports["ports"]
    ] == [
        ("8080", 80, "tcp"),
        (None, 90, "tcp"),
        ("8080", 80, "udp"),
        ("81", 80, "tcp"),
    ]


def test_volumes_are_the_same_when_their_target_is(merged: Any) -> None:
    volumes = merged("volumes: ['v:/a', '/b']", "volumes: ['/host:/a:ro', '/c']")["volumes"]
    assert [(volume.get("source"), volume["target"]) for volume in volumes] == [
        ("/host", "/a"),
        (None, "/b"),
        (None, "/c"),
    ]


def test_networks_and_dependencies_mix_their_forms(merged: Any) -> None:
    service = merged(
        "networks: [n], depends_on: [db]",
        "networks: {n: {aliases: [x]}, m: }, depends_on: {db: {condition: service_healthy}, "
        "cache: {condition: service_started}}",
    )
    assert service["networks"] == {"n": {"aliases": ["x"]}, "m": None}
    assert {name: edge["condition"] for name, edge in service["depends_on"].items()} == {
        "db": "service_healthy",
        "cache": "service_started",
    }


def test_forms_that_cannot_be_merged_are_told_at_the_later_file(project: ProjectDirectory) -> None:
    project.write("a.yaml", "services:\n  web:\n    image: a\n    deploy: {replicas: 1}\n")
    project.write("b.yaml", "services:\n  web:\n    deploy: [x]\n")
    problems = project.problems("", files=("a.yaml", "b.yaml"))
    assert problems[0].startswith(
        "b.yaml:3:13: services.web.deploy: a list cannot override a mapping"
    )


def test_a_merged_value_keeps_the_winners_place(project: ProjectDirectory) -> None:
    project.write("a.yaml", "services:\n  web:\n    image: a\n    user: x\n")
    project.write("b.yaml", "services:\n  web:\n    image: b\n")
    sources = project.load("", files=("a.yaml", "b.yaml")).sources
    image, user = (sources.value(("services", "web", key)) for key in ("image", "user"))
    assert image is not None
    assert user is not None
    assert (image.file[-6:], image.line) == ("b.yaml", 3)
    assert (user.file[-6:], user.line) == ("a.yaml", 4)


TREES = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def as_tree(value: dict[str, Any]) -> Map:
    tree = Map()
    tree.update(copy.deepcopy(value))
    return tree


@given(TREES)
def test_merging_nothing_changes_nothing(value: dict[str, Any]) -> None:
    problems = Problems()
    assert plain(merge_trees(as_tree(value), {}, problems)) == value
    assert plain(merge_trees(Map(), as_tree(value), problems)) == value
    assert len(problems) == 0


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers()),
    st.dictionaries(st.sampled_from("abc"), st.integers()),
    st.dictionaries(st.sampled_from("abc"), st.integers()),
)
def test_merging_associates(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    problems = Problems()
    left = merge_trees(merge_trees(as_tree(one), two, problems), three, problems)
    right = merge_trees(as_tree(one), merge_trees(as_tree(two), three, problems), problems)
    assert left == right


def test_a_copied_tree_shares_nothing_that_changes() -> None:
    (document,) = read_documents(b"a: {b: [1, {c: 2}]}", "f.yaml")
    copied = copy_tree(document.tree)
    copied["a"]["b"][1]["c"] = 3
    assert plain(document.tree) == {"a": {"b": [1, {"c": 2}]}}
