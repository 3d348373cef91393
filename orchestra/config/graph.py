"""The dependency graph of a project: who waits for whom, for what, and who starts when.

An edge leads from a service to one that it depends on. `cycles` looks for circles in a tree that
is being loaded; `graphdraw` draws what is here. Ordering the work of a command is `plan`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

import networkx as nx

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.project import Project


class Edge(NamedTuple):
    """*service* depends on *dependency*; *implied* by links, volumes_from, a shared namespace."""

    service: str
    dependency: str
    condition: str = "service_started"
    required: bool = True
    restart: bool = False
    implied: bool = False


Graph: TypeAlias = "nx.DiGraph[str]"
"""Nodes are service names; each edge has its `Edge` under "edge"."""


def build_graph(services: Iterable[str], edges: Iterable[Edge]) -> Graph:
    """The graph of *services*; an edge to anything else is left out."""
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(services)
    graph.add_edges_from(
        (edge.service, edge.dependency, {"edge": edge})
        for edge in edges
        if edge.service in graph and edge.dependency in graph
    )
    return graph


def dependency_graph(project: Project) -> Graph:
    """The graph of the enabled services of *project*."""
    edges = (
        Edge(
            service.name,
            dependency.service,
            dependency.condition.value,
            required=dependency.required,
            restart=dependency.restart,
            implied=dependency.implied,
        )
        for service in project.services
        for dependency in service.depends_on
    )
    return build_graph(project.service_names, edges)


def edges_of(graph: Graph) -> list[Edge]:
    """The edges in a stable order."""
    return sorted(cast(Edge, data["edge"]) for _, _, data in graph.edges(data=True))


def dependencies_of(graph: Graph, service: str) -> list[Edge]:
    """The edges that leave *service*, by name of the dependency."""
    return sorted(cast(Edge, graph.edges[service, other]["edge"]) for other in graph[service])


def start_waves(graph: Graph) -> list[list[str]]:
    """The services in groups: all that one depends on is in groups before its own.

    Raises networkx.NetworkXUnfeasible for a graph with a cycle.
    """
    return [sorted(wave) for wave in nx.topological_generations(graph.reverse(copy=False))]


def find_cycles(graph: Graph) -> list[list[str]]:
    """One shortest cycle of each knot of services that wait for each other.

    A cycle begins with its first service by name, and does not repeat it at the end.
    """
    knots = [knot for knot in nx.strongly_connected_components(graph) if _is_knot(graph, knot)]
    return sorted(_shortest_cycle(graph.subgraph(knot)) for knot in knots)


def _is_knot(graph: Graph, component: set[str]) -> bool:
    return len(component) > 1 or any(graph.has_edge(node, node) for node in component)


def _shortest_cycle(knot: Graph) -> list[str]:
    """The shortest cycle through the first service of *knot* by name."""
    first = min(knot)
    if knot.has_edge(first, first):
        return [first]
    ways = nx.single_source_shortest_path(knot, first)
    back = min((ways[node] for node in knot.predecessors(first)), key=lambda way: (len(way), way))
    return list(back)
