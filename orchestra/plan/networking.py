"""A service's place on networks and in the namespaces of others, as an engine takes them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound
from orchestra.model.container import Endpoint, Namespaces, NetworkMode
from orchestra.model.network import NetworkSpec
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.model.project import Project
    from orchestra.model.service import Service

BRIDGE = "bridge"
"""`network_mode: bridge` is Docker's default network; a project has one of its own instead."""


class Attachment(NamedTuple):
    """What a ContainerSpec says of the container's network."""

    mode: NetworkMode
    container: str = ""
    endpoints: tuple[Endpoint, ...] = ()


class Peers(NamedTuple):
    """How `service:NAME` and `container:NAME` become ids."""

    by_service: Mapping[str, str]
    by_name: Mapping[str, str]

    def resolve(self, service: Service, mode: str) -> str:
        """The id that *mode* names, "" when it names no container. Raises NotFound."""
        kind, separator, name = mode.partition(":")
        if not separator:
            return ""
        if kind == "service":
            found = self.by_service.get(name)
            if found is None:
                raise NotFound(
                    f'service "{service.name}" shares a namespace of service "{name}",'
                    " which has no container",
                    fix=f'start "{name}" too, with at least one replica',
                ).at("services", service.name)
            return found
        return self.by_name.get(name, name)


def attachment(
    project: Project, service: Service, peers: Peers, *, names: tuple[str, ...] = ()
) -> Attachment:
    """The networks of a container of *service*; *names* are the aliases it has on each of them."""
    mode = service.network_mode
    if mode == "host":
        return Attachment(NetworkMode.HOST)
    if mode == "none":
        return Attachment(NetworkMode.ENDPOINTS)
    if mode == BRIDGE:
        name = bridge_network(project).name
        return Attachment(NetworkMode.ENDPOINTS, endpoints=(Endpoint(network=name),))
    peer = peers.resolve(service, mode)
    if peer:
        return Attachment(NetworkMode.CONTAINER, peer)
    endpoints = tuple(
        Endpoint(
            network=project.network(use.key).name,
            aliases=tuple(dict.fromkeys((*names, *use.aliases))),
            ipv4_address=use.ipv4_address,
            ipv6_address=use.ipv6_address,
            mac_address=use.mac_address or (service.mac_address if position == 0 else ""),
            priority=use.priority,
            gw_priority=use.gw_priority,
            interface_name=use.interface_name,
            driver_opts=use.driver_opts,
            link_local_ips=use.link_local_ips,
            links=service.external_links,
        )
        for position, use in enumerate(service.networks)
    )
    return Attachment(NetworkMode.ENDPOINTS, endpoints=endpoints)


def namespaces(service: Service, peers: Peers) -> Namespaces:
    """pid, ipc, uts, cgroup and user namespace, as an engine takes them.

    Raises ConfigError for a word that means nothing, NotFound for a namespace of nobody.
    """

    def one(attribute: str, mode: str, *own: str) -> str:
        """*own*: the words for a namespace of the container's own."""
        peer = peers.resolve(service, mode)
        if peer:
            return f"container:{peer}"
        if mode not in ("", "host", *own):
            words = ", ".join(f'"{word}"' for word in ("host", *own))
            raise ConfigError(
                f'service "{service.name}": {attribute}: "{mode}" is no namespace',
                fix=f"use {words}, service:NAME or container:NAME",
            ).at("services", service.name, attribute)
        return "" if mode in own and mode != "none" else mode

    return Namespaces(
        pid=one("pid", service.pid),
        ipc=one("ipc", service.ipc, "private", "shareable", "none"),
        uts=one("uts", service.uts),
        cgroup=one("cgroup", service.cgroup, "private"),
        user=one("userns_mode", service.userns_mode),
    )


def bridge_network(project: Project) -> NetworkSpec:
    """What `network_mode: bridge` stands for."""
    return NetworkSpec(name=f"{project.name}_{BRIDGE}", project=project.name, key=BRIDGE)
