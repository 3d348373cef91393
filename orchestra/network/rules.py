"""The host's firewall as the driver sees it: both IP versions, or nothing where there is none."""

from __future__ import annotations

import logging
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from orchestra.linux import conntrack
from orchestra.linux import nftables as nft
from orchestra.network import endpoints as ep
from orchestra.network import neighbours
from orchestra.network.firewall import (
    IPV4,
    IPV6,
    PROTOCOLS,
    TABLE,
    BridgeRules,
    Firewall,
    Lacking,
    Published,
)
from orchestra.network.publish import IPV4_ANY, IPV6_ANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.linux.netlink import NetlinkSocket
    from orchestra.model.network import NetworkSpec
    from orchestra.network.publish import Backend, HostPort
    from orchestra.network.registry import NetworkRow

_log = logging.getLogger(__name__)
_IN_USER_SPACE = (
    "no nf_tables (%s): ports are forwarded in user space, containers reach nothing outside, "
    "and networks are not kept apart"
)


class HostRules:
    """Probes for nf_tables once, at first use."""

    def __init__(self) -> None:
        self._firewalls: dict[int, Firewall] | None = None
        self._netlink: NetlinkSocket | None = None

    def add_network(self, row: NetworkRow, spec: NetworkSpec) -> None:
        for version, rules in _bridge_rules(row, spec):
            firewall = self._open().get(version)
            if firewall is None:
                continue
            try:
                firewall.add_network(rules)
            except Lacking as exc:
                del self._open()[version]
                _log.warning(_IN_USER_SPACE, exc)
        if self._netlink is not None:
            neighbours.make_room(self._netlink, row.bridge)

    def remove_network(self, row: NetworkRow, spec: NetworkSpec) -> None:
        for version, rules in _bridge_rules(row, spec):
            if version in self._open():
                self._open()[version].remove_network(rules)

    def give_back(self, bridge: str) -> None:
        """Undo what `add_network` did in the firewalls of others; gone already is fine."""
        self._open()
        if self._netlink is not None:
            neighbours.give_back(self._netlink, bridge)

    def are_present(self) -> bool:
        """Whether the table is there: `nft flush ruleset` of a firewall's restart removes it."""
        if self._netlink is None or not self.has_ipv4():
            return True
        return TABLE in nft.tables(self._netlink, nft.NFPROTO_IPV4)

    def has_ipv4(self) -> bool:
        """Whether there are rules for IPv4; known for certain once a network has been added."""
        return 4 in self._open()

    def publish(self, port: HostPort, backend: Backend) -> None:
        """Lead *port* to the container in the kernel, where an address of its version allows it."""
        version, address = (6, backend.address6) if ":" in port.address else (4, backend.address)
        firewall = self._open().get(version)
        if firewall is not None and address:
            firewall.publish(_published(port, address, backend.port))
            self._forget_flows(port)

    def unpublish(self, port: HostPort) -> None:
        """Gone already is fine."""
        firewall = self._open().get(6 if ":" in port.address else 4)
        if firewall is not None:
            firewall.unpublish(_published(port, port.address, 0))
            self._forget_flows(port)

    def uninstall(self) -> None:
        """Remove everything; the last network has gone."""
        for firewall in self._open().values():
            firewall.uninstall()

    def _forget_flows(self, port: HostPort) -> None:
        if port.protocol == "udp" and self._netlink is not None:
            try:
                conntrack.forget_udp(self._netlink, port.port)
            except OSError as exc:  # then they expire by themselves, after 30 s of silence
                _log.warning("cannot forget the flows of %s: %s", port, exc)

    def close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None
        self._firewalls = None

    def _open(self) -> dict[int, Firewall]:
        """By IP version; empty where the kernel has no nf_tables."""
        if self._firewalls is None:
            self._firewalls = {}
            try:
                netlink = self._netlink = nft.open_nftables()
                nft.tables(netlink, nft.NFPROTO_IPV4)
            except OSError as exc:
                self.close()
                self._firewalls = {}
                _log.warning(_IN_USER_SPACE, exc)
            else:
                self._firewalls = {4: Firewall(netlink, IPV4), 6: Firewall(netlink, IPV6)}
        return self._firewalls


def _bridge_rules(row: NetworkRow, spec: NetworkSpec) -> Iterator[tuple[int, BridgeRules]]:
    masquerade = ep.is_enabled(spec, ep.MASQUERADE)
    for text in filter(None, (row.subnet, row.subnet6)):
        subnet = ip_network(text)
        yield subnet.version, BridgeRules(row.bridge, subnet, spec.internal, masquerade)


def _published(port: HostPort, address: str, container_port: int) -> Published:
    return Published(
        protocol=PROTOCOLS[port.protocol],
        host_address=b""
        if port.address in (IPV4_ANY, IPV6_ANY)
        else ip_address(port.address).packed,
        host_port=port.port,
        address=ip_address(address).packed,
        port=container_port,
    )
