"""The order in which services are planned: what is depended on comes first. Pure.

The standard library's `graphlib` orders here, not networkx: every `up -d` passes through, and
networkx costs 70 ms to import (docs/design/005). networkx explains cycles and draws graphs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra.model.service import Service


def dependency_order(services: Iterable[Service]) -> tuple[Service, ...]:
    """*services*, each after those of them that it depends on, otherwise by name.

    Raises ConfigError for a cycle; the loader has already refused cycles with their positions.
    """
    by_name = {service.name: service for service in sorted(services, key=lambda s: s.name)}
    edges = {name: dependencies(service, by_name) for name, service in by_name.items()}
    if not any(edges.values()):
        return tuple(by_name.values())
    return tuple(by_name[name] for name in topological(edges))


def topological(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """Names so that each comes after those in its *edges*. Raises ConfigError for a cycle."""
    from graphlib import CycleError, TopologicalSorter

    sorter = TopologicalSorter(edges)
    try:
        sorter.prepare()
    except CycleError as exc:
        raise ConfigError(
            f"dependency cycle: {' -> '.join(exc.args[1])}",
            fix="remove one of these dependencies",
        ) from exc
    result: list[str] = []
    while sorter.is_active():
        wave = sorted(sorter.get_ready())
        result += wave
        sorter.done(*wave)
    return result


def dependencies(service: Service, among: Mapping[str, Service]) -> tuple[str, ...]:
    """The services of *among* that *service* depends on, declared or implied."""
    names = [edge.service for edge in service.depends_on]
    names += namespace_parents(service)
    names += [target for target, _ in service.links]
    return tuple(name for name in dict.fromkeys(names) if name in among)


def namespace_parents(service: Service) -> tuple[str, ...]:
    """The services whose containers *service* names by id: their recreation makes it stale."""
    modes = (service.network_mode, service.pid, service.ipc, service.uts, service.cgroup)
    shared = [mode[len("service:") :] for mode in modes if mode.startswith("service:")]
    shared += [source.service for source in service.volumes_from if source.service]
    return tuple(dict.fromkeys(shared))
