"""Services that wait for each other: found while loading, told edge by edge with their places."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from orchestra.config.problems import problem
from orchestra.config.wording import quote
from orchestra.model.source import spell_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.config.tree import Tree
    from orchestra.errors import ConfigError
    from orchestra.model.source import SourceMap, TreePath

_NAMESPACES = ("network_mode", "ipc", "pid")
_SERVICE = "service:"


def check_cycles(tree: Tree, sources: SourceMap) -> list[ConfigError]:
    """A ConfigError for each circle of dependencies in *tree*; none is the usual case.

    Dependencies are read in their short and long forms, those implied by links, volumes_from,
    shared namespaces and build contexts included (compose-spec 05-services.md#depends_on).
    """
    services: dict[str, Any] = tree.get("services") or {}
    needs = {name: dict(_dependencies(services[name] or {})) for name in services}
    for found in needs.values():
        for other in found.keys() - needs.keys():
            del found[other]
    try:
        TopologicalSorter({name: tuple(found) for name, found in needs.items()}).prepare()
    except CycleError:
        return _explain(needs, sources)
    return []


def _dependencies(service: Tree) -> Iterator[tuple[str, TreePath]]:
    """(other service, path below the service that says so); the plainest saying comes last."""
    build = service.get("build")
    if isinstance(build, dict):
        yield from _named(build.get("additional_contexts"), ("build", "additional_contexts"))
    for attribute in _NAMESPACES:
        value = service.get(attribute)
        if isinstance(value, str) and value.startswith(_SERVICE):
            yield value.removeprefix(_SERVICE), (attribute,)
    for attribute in ("volumes_from", "links"):
        for index, item in enumerate(service.get(attribute) or ()):
            if isinstance(item, str) and not item.startswith("container:"):
                yield item.split(":")[0], (attribute, index)
    depends_on = service.get("depends_on") or ()
    if isinstance(depends_on, dict):
        yield from ((name, ("depends_on", name)) for name in depends_on)
    else:
        yield from ((name, ("depends_on", index)) for index, name in enumerate(depends_on))


def _named(contexts: Any, path: TreePath) -> Iterator[tuple[str, TreePath]]:
    if isinstance(contexts, dict):
        for key, value in contexts.items():
            if isinstance(value, str) and value.startswith(_SERVICE):
                yield value.removeprefix(_SERVICE), (*path, key)


def _explain(needs: dict[str, dict[str, TreePath]], sources: SourceMap) -> list[ConfigError]:
    from orchestra.config.graph import Edge, build_graph, find_cycles  # networkx is slow to import

    graph = build_graph(needs, (Edge(one, other) for one in needs for other in needs[one]))
    return [_circle(cycle, needs, sources) for cycle in find_cycles(graph)]


def _circle(
    cycle: Sequence[str], needs: dict[str, dict[str, TreePath]], sources: SourceMap
) -> ConfigError:
    lines = ["services wait for each other in a circle: " + " → ".join((*cycle, cycle[0]))]
    for one, other in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
        path = ("services", one, *needs[one][other])
        where = sources.key(path)
        said_at = f", {where}" if where is not None else ""
        lines.append(f"  {quote(one)} needs {quote(other)}: {spell_path(path[2:])}{said_at}")
    first: TreePath = ("services", cycle[0], *needs[cycle[0]][(*cycle, cycle[0])[1]])
    return problem((), "\n".join(lines), sources.key(first), "remove one of these dependencies")
