"""Values that are implied: what a missing attribute means, and what follows from others."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from orchestra.config.tree import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.config.tree import Tree

_NAMESPACES = ("network_mode", "ipc", "pid", "uts", "cgroup")


def services_of(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """The services that are mappings, with their names."""
    services = tree.get("services")
    if isinstance(services, dict):
        for name, service in services.items():
            if isinstance(service, dict):
                yield name, service


def set_defaults(tree: Tree) -> None:
    """What each attribute means by itself when parts of it are missing; in place."""
    for _, service in services_of(tree):
        build = service.get("build")
        if isinstance(build, dict):
            build.setdefault("context", ".")
        for secret in _mappings(service.get("secrets")):
            secret.setdefault("target", f"/run/secrets/{secret.get('source')}")
        for port in _mappings(service.get("ports")):
            port.setdefault("protocol", "tcp")
            port.setdefault("mode", "ingress")
        for request in _device_requests(service):
            if "count" not in request and "device_ids" not in request:
                request["count"] = "all"
        for volume in _mappings(service.get("volumes")):
            if isinstance(volume.get("bind"), dict):
                volume["bind"].setdefault("create_host_path", True)


def _mappings(value: Any) -> Iterator[Tree]:
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item


def _device_requests(service: Tree) -> Iterator[Tree]:
    yield from _mappings(service.get("gpus"))
    node: Any = service
    for key in ("deploy", "resources", "reservations", "devices"):
        node = node.get(key) if isinstance(node, dict) else None
    yield from _mappings(node)


def normalize(tree: Tree, name: str, lookup: Callable[[str], str | None]) -> None:
    """What follows from the whole project: default network, names, implied dependencies."""
    tree["name"] = name
    _default_network(tree)
    for _, service in services_of(tree):
        if service.get("pull_policy") == "if_not_present":
            service["pull_policy"] = "missing"
        _normalize_build(service, lookup)
        _imply_dependencies(service)
        for volume in _mappings(service.get("volumes")):
            if isinstance(volume.get("target"), str) and volume["target"]:
                volume["target"] = posixpath.normpath(volume["target"])
        image = service.get("image")
        for hook in _mappings(service.get("pre_start")):
            if image:
                hook.setdefault("image", image)
    _name_resources(tree, name)


def _default_network(tree: Tree) -> None:
    used = False
    for _, service in services_of(tree):
        if "provider" in service or "network_mode" in service:
            continue
        if not service.get("networks"):
            service["networks"] = {"default": None}
        used = used or "default" in service["networks"]
    if used:
        networks = tree.get("networks")
        if not isinstance(networks, dict):
            networks = tree["networks"] = Map()
        networks.setdefault("default", None)


def _normalize_build(service: Tree, lookup: Callable[[str], str | None]) -> None:
    build = service.get("build")
    if not isinstance(build, dict):
        return
    if build.get("context") is None:
        build["context"] = "."
    if build.get("dockerfile") is None and build.get("dockerfile_inline") is None:
        build["dockerfile"] = "Dockerfile"
    arguments = build.get("args")
    if isinstance(arguments, dict):
        for key, value in list(arguments.items()):
            if value is None:
                found = lookup(key)
                if found is None:
                    del arguments[key]
                else:
                    arguments[key] = found


def _imply_dependencies(service: Tree) -> None:
    """links, shared namespaces and volumes_from need the other service to be there first."""
    implied: dict[str, bool] = {}
    for link in service.get("links") or ():
        implied.setdefault(str(link).partition(":")[0], True)
    for attribute in _NAMESPACES:
        value = service.get(attribute)
        if isinstance(value, str) and value.startswith("service:"):
            implied.setdefault(value.removeprefix("service:"), True)
    for source in service.get("volumes_from") or ():
        if not str(source).startswith("container:"):
            implied.setdefault(str(source).partition(":")[0], False)
    if not implied:
        return
    edges = service.get("depends_on")
    if not isinstance(edges, dict):
        edges = service["depends_on"] = Map()
    for name, restart in implied.items():
        edges.setdefault(
            name, {"condition": "service_started", "restart": restart, "required": True}
        )


def _name_resources(tree: Tree, project: str) -> None:
    for section in ("networks", "volumes", "configs", "secrets"):
        resources = tree.get(section)
        if not isinstance(resources, dict):
            continue
        for key, value in resources.items():
            resource: Any = Map() if value is None else value
            resources[key] = resource
            if isinstance(resource, dict) and resource.get("name") is None:
                external = resource.get("external") is True
                resource["name"] = key if external else f"{project}_{key}"
