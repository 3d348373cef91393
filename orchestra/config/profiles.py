"""Which services are enabled, and which of them a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.config.defaults import services_of
from orchestra.config.problems import did_you_mean
from orchestra.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.config.tree import Tree


def enabled_services(tree: Tree, profiles: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """The services without a profile, those of an active one, and the *named* ones.

    Naming a service activates its profiles for the others too, as in Docker Compose.
    """
    services = dict(services_of(tree))
    active = set(profiles)
    for name in named:
        service = services.get(name)
        if service is not None and not _is_enabled(service, active):
            active.update(service.get("profiles") or ())
    return tuple(name for name, service in services.items() if _is_enabled(service, active))


def _is_enabled(service: Tree, active: set[str]) -> bool:
    own = service.get("profiles") or ()
    return not own or "*" in active or not active.isdisjoint(own)


def with_dependencies(
    tree: Tree, enabled: tuple[str, ...], named: tuple[str, ...]
) -> tuple[str, ...]:
    """The *named* services and all they depend on; all enabled ones when none is named.

    Raises NotFound for a name that is no service.
    """
    if not named:
        return enabled
    services = dict(services_of(tree))
    possible = frozenset(enabled)
    wanted: set[str] = set()
    pending = list(named)
    for name in named:
        if name not in services:
            raise NotFound(
                f"no such service: {name}",
                fix=did_you_mean(name, services) or f"the services are {', '.join(services)}",
            )
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            edges: Any = services[name].get("depends_on")
            pending += [other for other in edges or () if other in possible]
    return tuple(name for name in enabled if name in wanted)


def restrict(tree: Tree, selected: tuple[str, ...]) -> None:
    """Leave only *selected* services in the tree, and no dependency on another one."""
    services = tree.get("services")
    if not isinstance(services, dict):
        return
    kept = frozenset(selected)
    for name in [name for name in services if name not in kept]:
        del services[name]
    for _, service in services_of(tree):
        edges = service.get("depends_on")
        if isinstance(edges, dict):
            for name in [name for name in edges if name not in kept]:
                del edges[name]


def prune_resources(tree: Tree) -> None:
    """Drop networks, volumes, configs, secrets and models that no service uses."""
    used: dict[str, set[str]] = {
        section: set() for section in ("networks", "volumes", "configs", "secrets", "models")
    }
    for _, service in services_of(tree):
        used["networks"].update(service.get("networks") or ())
        used["models"].update(service.get("models") or ())
        for volume in service.get("volumes") or ():
            if volume.get("type") == "volume" and volume.get("source"):
                used["volumes"].add(volume["source"])
        for section in ("configs", "secrets"):
            used[section].update(item["source"] for item in service.get(section) or ())
        build = service.get("build")
        if isinstance(build, dict):
            used["secrets"].update(item["source"] for item in build.get("secrets") or ())
    for section, names in used.items():
        resources = tree.get(section)
        if isinstance(resources, dict):
            for key in [key for key in resources if key not in names]:
                del resources[key]
            if not resources:
                del tree[section]
