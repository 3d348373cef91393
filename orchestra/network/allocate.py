"""A container's addresses and host ports: agreed in the registry, held by this supervisor."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING

from orchestra.errors import Conflict
from orchestra.model.container import NetworkMode
from orchestra.model.state import EndpointState, PortState
from orchestra.model.structs import msgspec
from orchestra.network import endpoints as ep
from orchestra.network import ipam
from orchestra.network.base import Allocation
from orchestra.network.dns import container_names
from orchestra.network.publish import IPV4_ANY, IPV6_ANY, HostPort, Taken
from orchestra.network.registry import EndpointRow, Owner, PortRow

if TYPE_CHECKING:
    from orchestra.model.container import ContainerSpec, Endpoint, PublishedPort
    from orchestra.network.networks import Networks
    from orchestra.network.publish import HostPorts
    from orchestra.network.registry import NetworkRow, Registry


class Allocator:
    """Gives and takes addresses and host ports."""

    def __init__(self, registry: Registry, networks: Networks, ports: HostPorts) -> None:
        self._registry = registry
        self._networks = networks
        self._ports = ports

    def allocate(self, spec: ContainerSpec) -> Allocation:
        """See NetworkDriver.allocate. The same container again gets a new allocation."""
        if spec.network_mode is not NetworkMode.ENDPOINTS:
            return Allocation((), _exposed(spec))
        try:
            return self._allocate(spec)
        except Conflict:
            with self._registry.transaction():
                healed = self._networks.heal()
            if not healed:
                raise
            return self._allocate(spec)

    def _allocate(self, spec: ContainerSpec) -> Allocation:
        owner = _owner(spec)
        try:
            with self._registry.transaction():
                self._registry.add_container(owner)
                states = tuple(
                    self._endpoint(spec, owner, position, endpoint)
                    for position, endpoint in enumerate(ep.in_interface_order(spec))
                )
                ports = self._publish(spec, owner)
        except BaseException as exc:
            self.let_ports_go(spec.id)
            if isinstance(exc, Taken):
                exc.at("services", spec.service, "ports")
            raise
        published = {(port.container_port, port.protocol) for port in ports}
        exposed = _exposed(spec)
        rest = (port for port in exposed if (port.container_port, port.protocol) not in published)
        return Allocation(states, (*ports, *rest))

    def attach(self, spec: ContainerSpec, endpoint: Endpoint) -> EndpointState:
        """A place on one more network for a container that exists. Raises Conflict, NotFound."""
        with self._registry.transaction():
            self._registry.remove_endpoint(spec.id, endpoint.network)
            position = len(self._registry.endpoints(spec.id))
            return self._endpoint(spec, _owner(spec), position, endpoint)

    def detach(self, container_id: str, network: str) -> None:
        """Give that place back; gone already is fine."""
        with self._registry.transaction():
            self._registry.remove_endpoint(container_id, network)

    def reserve_again(self, spec: ContainerSpec, allocation: Allocation) -> None:
        """Hold the host ports of a container that is started again. Raises Taken."""
        owner = _owner(spec)
        with self._registry.transaction():
            self._registry.set_reserved(spec.id)
            known = set(self._registry.ports(spec.id))
            for port in published_ports(allocation):
                host_port = _host_port(port)
                self._check(host_port, owner)
                row = PortRow(spec.id, *host_port, port.container_port)
                if row not in known:
                    self._registry.add_port(row)
                self._ports.reserve(host_port, spec.id)

    def adopt_ports(self, spec: ContainerSpec, allocation: Allocation) -> None:
        """Hold the host ports of a container that runs; one that was snatched stays published."""
        for port in published_ports(allocation):
            with suppress(Taken):
                self._ports.reserve(_host_port(port), spec.id)

    def let_ports_go(self, container_id: str) -> None:
        for port in self._ports.held_by(container_id):
            self._ports.let_go(port, container_id)

    def _endpoint(
        self, spec: ContainerSpec, owner: Owner, position: int, endpoint: Endpoint
    ) -> EndpointState:
        row = self._networks.find(endpoint.network)
        address, address6 = self._choose_addresses(row, owner, endpoint)
        names = container_names(spec, endpoint)
        on_link = self._networks.is_on_link(endpoint.network)
        self._registry.add_endpoint(
            EndpointRow(spec.id, endpoint.network, position, address, address6, names)
        )
        return EndpointState(
            network=endpoint.network,
            address=address,
            prefix_length=_length(row.subnet),
            gateway="" if on_link else row.gateway,
            mac=""
            if self._networks.spec(row).driver == "ipvlan"  # has the parent's
            else endpoint.mac_address or ipam.mac_address(ip_address(address)),
            aliases=names,
            address6=address6,
            prefix6_length=_length(row.subnet6) if address6 else 0,
            gateway6=row.gateway6 if address6 and not on_link else "",
        )

    def _choose_addresses(
        self, row: NetworkRow, owner: Owner, endpoint: Endpoint
    ) -> tuple[str, str]:
        pools = self._networks.spec(row).pools
        in_use = _numbers(self._registry.all_addresses(row.name))
        not_ours = _numbers(self._registry.addresses(row.name, replaced_by=owner))
        chosen: list[str] = []
        for subnet, gateway, wanted in (
            (row.subnet, row.gateway, endpoint.ipv4_address),
            (row.subnet6, row.gateway6, endpoint.ipv6_address),
        ):
            if not subnet:
                chosen.append("")
                continue
            addresses = ipam.stored_range(subnet, gateway, pools)
            if wanted:
                chosen.append(str(addresses.asked_for(wanted, not_ours)))
            else:
                chosen.append(str(addresses.first_free(in_use)))
        return chosen[0], chosen[1]

    def _publish(self, spec: ContainerSpec, owner: Owner) -> tuple[PortState, ...]:
        states: list[PortState] = []
        for wanted in self._publishable(spec):
            for port in self._ports.choose(
                wanted, spec.id, lambda host_port: self._check(host_port, owner)
            ):
                self._registry.add_port(PortRow(spec.id, *port, wanted.container_port))
                states.append(
                    PortState(wanted.container_port, port.protocol, port.address, port.port)
                )
        return tuple(states)

    def _publishable(self, spec: ContainerSpec) -> tuple[PublishedPort, ...]:
        """Its ports, on the address of the host that its network asks for; none off bridges."""
        bridges = [
            each
            for each in ep.in_gateway_order(spec.endpoints, self._networks.is_internal)
            if self._networks.is_bridge(each.network)
        ]
        if not bridges:
            return () if spec.endpoints else spec.ports
        network = self._networks.spec(self._networks.find(bridges[0].network))
        address = ep.option(network, ep.HOST_BINDING)
        if address in ("", IPV4_ANY):
            return spec.ports
        return tuple(
            port if port.host_ip else msgspec.structs.replace(port, host_ip=address)
            for port in spec.ports
        )

    def _check(self, port: HostPort, owner: Owner) -> None:
        """Raise Taken when another container has *port*; take it from one that does not run."""
        for holder in self._registry.port_holders(port.protocol, port.port):
            if not _overlap(holder.port.host_ip, port.address) or _same_place(holder.owner, owner):
                continue
            if holder.in_use:
                service = f" of service {holder.owner.service}" if holder.owner.service else ""
                raise Taken(
                    f"port {port} is already in use by container {holder.owner.name}{service}",
                    fix="stop that container, or publish another host port",
                )
            self._registry.remove_port(holder.port)


def _numbers(addresses: list[str]) -> set[int]:
    """Addresses as numbers; ten times as fast as `ipaddress`, and a network has up to 1,000."""
    return {
        int.from_bytes(inet_pton(AF_INET6 if ":" in address else AF_INET, address), "big")
        for address in addresses
    }


def published_ports(allocation: Allocation) -> tuple[PortState, ...]:
    return tuple(port for port in allocation.ports if port.host_port)


def _host_port(port: PortState) -> HostPort:
    return HostPort(port.protocol, port.host_ip, port.host_port)


def _owner(spec: ContainerSpec) -> Owner:
    return Owner(spec.id, spec.project, spec.service, spec.number, spec.name)


def _same_place(one: Owner, other: Owner) -> bool:
    """Is it the same container, or the one that replaces it?"""
    if one.id == other.id:
        return True
    replica = (one.project, one.service, one.number)
    return bool(one.service) and replica == (other.project, other.service, other.number)


def _overlap(one: str, other: str) -> bool:
    if (":" in one) != (":" in other):
        return False
    return one == other or one in (IPV4_ANY, IPV6_ANY) or other in (IPV4_ANY, IPV6_ANY)


def _exposed(spec: ContainerSpec) -> tuple[PortState, ...]:
    """Ports that the image or service exposes but that are not published: "80/tcp"."""
    states: list[PortState] = []
    for text in spec.exposed_ports:
        number, _, protocol = text.partition("/")
        if number.isdecimal():
            states.append(PortState(int(number), protocol or "tcp"))
    return tuple(states)


def _length(subnet: str) -> int:
    return int(subnet.rpartition("/")[2])
