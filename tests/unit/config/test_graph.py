"""The dependency graph: waves, circles with the places of their edges, drawings."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import msgspec
import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestra.config.cycles import check_cycles
from orchestra.config.document import read_documents
from orchestra.config.graph import (
    Edge,
    Graph,
    build_graph,
    edges_of,
    find_cycles,
    start_waves,
)
from orchestra.config.graphdraw import FORMATS, draw
from orchestra.config.graphlayout import Place, Wire, lay_out
from orchestra.config.schema import load_schema
from orchestra.config.tree import TreeSources


def shop() -> Graph:
    return build_graph(
        ["web", "api", "db", "migrate", "cache"],
        [
            Edge("web", "api", "service_healthy"),
            Edge("web", "migrate", "service_completed_successfully"),
            Edge("api", "db", "service_healthy"),
            Edge("migrate", "db", "service_healthy"),
            Edge("api", "cache", required=False),
            Edge("web", "not-enabled", required=False),
        ],
    )


def circles(text: str) -> list[str]:
    (document,) = read_documents(text.encode(), "compose.yaml")
    return [str(error) for error in check_cycles(document.tree, TreeSources(document.tree))]


def test_a_wave_holds_what_can_start_together() -> None:
    assert start_waves(shop()) == [["cache", "db"], ["api", "migrate"], ["web"]]


def test_the_tree_spells_each_dependency_out_once() -> None:
    assert draw(shop(), "tree") == (
        "web\n"
        "├─ api [healthy]\n"
        "│  ├─ cache [optional]\n"
        "│  └─ db [healthy]\n"
        "└─ migrate [completed]\n"
        "   └─ db [healthy]\n"
        "\n"
        "start order\n"
        "  1  cache, db\n"
        "  2  api, migrate\n"
        "  3  web\n"
    )


def test_a_repeated_branch_refers_to_the_first() -> None:
    graph = build_graph("abcd", [Edge("a", "c"), Edge("b", "c"), Edge("c", "d")])
    assert draw(graph, "tree").startswith("a\n└─ c\n   └─ d\nb\n└─ c (above)\n\n")


def test_dot_and_mermaid_carry_the_conditions() -> None:
    assert '  "web" -> "api" [label="healthy"];\n' in draw(shop(), "dot")
    assert '  "api" -> "cache" [label="optional", style=dashed];\n' in draw(shop(), "dot")
    assert '  s4 -->|"completed"| s3\n' in draw(shop(), "mermaid")


def test_json_has_services_edges_and_waves() -> None:
    drawn = msgspec.json.decode(draw(shop(), "json"))
    Draft202012Validator(load_schema("graph")).validate(drawn)
    assert drawn["services"] == ["api", "cache", "db", "migrate", "web"]
    assert drawn["waves"][0] == ["cache", "db"]
    assert drawn["dependencies"][0] == {
        "service": "api",
        "dependency": "cache",
        "condition": "service_started",
        "required": False,
        "restart": False,
        "implied": False,
    }


def test_the_svg_has_boxes_waves_labels_and_an_arrow_to_each_dependency() -> None:
    picture = ElementTree.fromstring(draw(shop(), "svg"))
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in picture.iter(f"{space}text")]
    assert {"web", "api", "db", "migrate", "cache", "wave 1", "healthy", "completed"} <= set(texts)
    paths = list(picture.iter(f"{space}path"))
    arrows = [path for path in paths if path.get("marker-end")]
    assert len(arrows) == len(edges_of(shop()))
    assert any(path.get("stroke-dasharray") for path in arrows)


@st.composite
def graphs(draw_from: st.DrawFn) -> Graph:
    """Services that depend on some of those before them."""
    names = [f"s{number}" for number in range(draw_from(st.integers(0, 12)))]
    conditions = st.sampled_from(["service_started", "service_healthy"])
    edges = [
        Edge(name, other, draw_from(conditions), required=draw_from(st.booleans()))
        for index, name in enumerate(names)
        for other in draw_from(st.sets(st.sampled_from(names[:index] or [name])))
        if other != name
    ]
    return build_graph(names, edges)


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_nothing_in_a_picture_covers_anything_else_and_every_line_arrives(graph: Graph) -> None:
    wires = [Wire(e.service, e.dependency, e.condition, e.required) for e in edges_of(graph)]
    layout = lay_out(start_waves(graph), wires)
    assert {place.service for place in layout.middles if place.is_service} == set(graph)
    columns: dict[int, list[Place]] = {}
    for place in sorted(layout.middles, key=layout.middles.__getitem__):
        columns.setdefault(place.column, []).append(place)
    for column in columns.values():
        for upper, lower in pairwise(column):
            between = layout.middles[lower] - layout.middles[upper]
            assert between >= (upper.height + lower.height) / 2
    for (_, right), (left, _) in pairwise(layout.spans):
        assert right < left
    lines: nx.DiGraph[Place] = nx.DiGraph(layout.links)
    for wire in wires:
        ends = [Place(c, n) for n in wire[:2] for c in columns if Place(c, n) in layout.middles]
        assert nx.has_path(lines, *ends)


def test_every_format_draws_an_empty_project() -> None:
    for form in FORMATS:
        assert draw(build_graph([], []), form).endswith("\n")


def test_a_circle_is_told_edge_by_edge_with_places() -> None:
    assert circles(
        """services:
  web:
    depends_on: [api, gone]
  api:
    depends_on:
      db: {condition: service_healthy}
  db:
    links: [web:w]
  free:
    depends_on: [web]
"""
    ) == [
        "compose.yaml:6:7: services wait for each other in a circle: api → db → web → api\n"
        '  "api" needs "db": depends_on.db, compose.yaml:6:7\n'
        '  "db" needs "web": links[0], compose.yaml:8:13\n'
        '  "web" needs "api": depends_on[0], compose.yaml:3:18\n'
        "  fix: remove one of these dependencies"
    ]


def test_implied_dependencies_close_circles_too() -> None:
    (text,) = circles(
        """services:
  a: {network_mode: "service:b"}
  b: {pid: "service:c"}
  c: {volumes_from: ["d:ro", "container:x"]}
  d: {build: {additional_contexts: {base: "service:a"}}}
"""
    )
    assert "a → b → c → d → a" in text
    assert '"d" needs "a": build.additional_contexts.base, compose.yaml:5:37' in text


def test_a_service_may_not_wait_for_itself() -> None:
    (text,) = circles("services: {a: {depends_on: [a]}}")
    assert "circle: a → a" in text


def test_each_knot_is_told_once() -> None:
    text = "services: {a: {links: [b]}, b: {links: [a]}, c: {links: [d]}, d: {links: [c, a]}}"
    assert len(circles(text)) == 2


def test_no_circle_no_complaint() -> None:
    assert circles("services: {a: {depends_on: [b]}, b: {image: x}, c: {links: [a]}}") == []


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_every_cycle_found_is_one_and_none_is_missed(pairs: list[tuple[int, int]]) -> None:
    graph = build_graph("abcdefgh", [Edge("abcdefgh"[a], "abcdefgh"[b]) for a, b in pairs])
    cycles = find_cycles(graph)
    for cycle in cycles:
        assert all(graph.has_edge(a, b) for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        assert len(set(cycle)) == len(cycle)
    assert bool(cycles) is not nx.is_directed_acyclic_graph(graph)
