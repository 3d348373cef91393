"""Containers that run: their published ports, and the sockets that answer their questions."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from orchestra.errors import RuntimeFailure
from orchestra.linux.namespaces import network_namespace_of
from orchestra.named import NamedTuple
from orchestra.network import endpoints as ep
from orchestra.network import hotplug, redirect
from orchestra.network.allocate import published_ports
from orchestra.network.dns import NameTable
from orchestra.network.forward import DatagramForwarder, StreamForwarder
from orchestra.network.publish import Backend, HostPort
from orchestra.network.resolvconf import parse_resolv_conf
from orchestra.network.resolver import Client, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import ContainerSpec
    from orchestra.network.base import Allocation, EventLoop
    from orchestra.network.networks import Networks
    from orchestra.network.publish import HostPorts
    from orchestra.network.registry import PortRow, Registry
    from orchestra.network.rules import HostRules


_log = logging.getLogger(__name__)


class Names:
    """The current NameTable; made again when any project has changed the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._version: tuple[int, int] | None = None
        self._table = NameTable(())

    def table(self) -> NameTable:
        try:
            version = self._registry.version()
            if version != self._version:
                self._table = NameTable(self._registry.running_endpoints())
                self._version = version
        except RuntimeFailure as exc:  # disk full, I/O error: what was known is still good
            _log.warning("cannot read the names of containers: %s", exc)
        return self._table


class Publication(NamedTuple):
    """A published port of a running container, with what forwards the rest to it."""

    container: str
    backend: Backend
    forwarder: StreamForwarder | DatagramForwarder | None


class LiveContainers:
    """What this supervisor does for running containers, on its event loop."""

    def __init__(
        self, loop: EventLoop, registry: Registry, rules: HostRules, ports: HostPorts
    ) -> None:
        self._loop = loop
        self._names = Names(registry)
        self._rules = rules
        self._ports = ports
        self._services: dict[str, Service] = {}
        self._published: dict[HostPort, Publication] = {}

    def add(
        self,
        spec: ContainerSpec,
        allocation: Allocation,
        pid: int,
        fds: tuple[int, ...],
        networks: Networks,
    ) -> None:
        """Publish ports and answer names. *fds* empty: open them in the namespace of *pid*."""
        self._publish_all(spec, allocation, networks)
        if not spec.endpoints:
            return
        self._close_service(spec.id)  # frees the port for the sockets that replace it
        try:
            pair = fds if len(fds) == 2 else _open_in(pid, spec.id)
        except OSError as exc:  # it has just exited: the supervisor will hear of that as well
            _log.warning("%s: cannot open its name server: %s", spec.id, exc)
            return
        client = _client(spec, networks.is_internal)
        self._services[spec.id] = Service(self._loop, self._names.table, client, (pair[0], pair[1]))

    def update(
        self, spec: ContainerSpec, allocation: Allocation, pid: int, networks: Networks
    ) -> None:
        """A running container has come to a network, or left one."""
        service = self._services.get(spec.id)
        if service is None:
            self.add(spec, allocation, pid, (), networks)
            return
        self._publish_all(spec, allocation, networks)
        service.client = _client(spec, networks.is_internal)

    def _publish_all(self, spec: ContainerSpec, allocation: Allocation, networks: Networks) -> None:
        """Lead its ports to its address on the first bridge that is not internal, if any."""
        ordered = [
            each.network for each in ep.in_gateway_order(spec.endpoints, networks.is_internal)
        ]
        ways = (n for n in ordered if networks.is_bridge(n) and not networks.is_internal(n))
        outside = next(ways, "")
        state = next((each for each in allocation.endpoints if each.network == outside), None)
        for port in published_ports(allocation):
            host_port = HostPort(port.protocol, port.host_ip, port.host_port)
            if state is not None:
                backend = Backend(state.address, state.address6, port.container_port)
                self._publish(host_port, spec.id, backend)
            elif host_port in self._published:
                self._withdraw(host_port)
                self._rules.unpublish(host_port)

    def remove(self, container_id: str, ports: list[PortRow]) -> None:
        """Undo `add`; *ports* are the container's in the registry, published by whomever."""
        self._close_service(container_id)
        for row in ports:
            host_port = HostPort(row.protocol, row.host_ip, row.host_port)
            publication = self._published.get(host_port)
            if publication is None or publication.container == container_id:
                self._withdraw(host_port)
                self._rules.unpublish(host_port)

    def delete_stacked(self, container_id: str) -> None:
        """The macvlan and ipvlan links of a container that has ended go at once."""
        service = self._services.get(container_id)
        if service is not None:
            try:
                hotplug.delete_stacked(service.fileno())
            except OSError as exc:  # they go when its namespace does
                _log.warning("%s: cannot delete its links: %s", container_id, exc)

    def close(self) -> None:
        """Let go of every socket; what is published in the kernel stays."""
        for container in tuple(self._services):
            self._close_service(container)
        for port in tuple(self._published):
            self._withdraw(port)

    def _publish(self, port: HostPort, container: str, backend: Backend) -> None:
        self._withdraw(port)
        self._publish_in_kernel(port, backend)
        channel = self._ports.socket(port)
        forwarder = None
        if channel is not None:
            kind = StreamForwarder if port.protocol == "tcp" else DatagramForwarder
            forwarder = kind(self._loop, channel, (backend.address, backend.port))
        self._published[port] = Publication(container, backend, forwarder)

    def republish(self) -> None:
        """Put all published ports into the kernel again: somebody has flushed its rules."""
        for port, publication in self._published.items():
            self._publish_in_kernel(port, publication.backend)

    def _publish_in_kernel(self, port: HostPort, backend: Backend) -> None:
        try:
            self._rules.publish(port, backend)
        except OSError as exc:
            _log.warning("port %s is forwarded in user space: %s", port, exc)

    def _withdraw(self, port: HostPort) -> None:
        publication = self._published.pop(port, None)
        if publication is not None and publication.forwarder is not None:
            publication.forwarder.close()

    def _close_service(self, container_id: str) -> None:
        service = self._services.pop(container_id, None)
        if service is not None:
            service.close()


def _client(spec: ContainerSpec, internal: Callable[[str], bool]) -> Client:
    """Who asks: nothing is forwarded for a container on internal networks only."""
    ordered = tuple(each.network for each in ep.in_gateway_order(spec.endpoints, internal))
    forwards = any(not internal(network) for network in ordered)
    links = tuple(
        (alias.lower(), name.lower()) for each in spec.endpoints for name, alias in each.links
    )
    return Client(ordered, (lambda: _servers(spec)) if forwards else tuple, links)


def _servers(spec: ContainerSpec) -> tuple[str, ...]:
    """The name servers to forward to: the service's own, else the host's as they are now."""
    if spec.dns.servers:
        return spec.dns.servers
    try:
        with open("/etc/resolv.conf") as file:
            return parse_resolv_conf(file.read()).servers
    except OSError:
        return ()


def _open_in(pid: int, container_id: str) -> tuple[int, int]:
    """The name server's sockets, opened anew in the network namespace of *pid*.

    The caller has one thread, hence may change its namespace for a moment.
    """
    with network_namespace_of(pid):
        udp, tcp = redirect.open_server(container_id)
    return udp.detach(), tcp.detach()
