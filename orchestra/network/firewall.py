"""The host's rules for container networks: one nf_tables table `orchestra` for each IP version.

The rules never change; networks and published ports are members of sets and maps, so that each is
one netlink message and several projects share the table. What the rules say:

- a packet for or from 127.0.0.0/8 comes from the host itself or is dropped (bridges have
  route_localnet, which would open the host's loopback services to containers and neighbours);
- a connection to a published port goes to its container, from wherever it comes;
- what leaves for elsewhere is masqueraded, and so is what comes back in by a published port or
  from 127.0.0.1, since the container could not answer to that;
- between bridges, and from outside into a bridge, only answers and published ports pass; internal
  networks have no way in or out at all.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from orchestra.linux import nftables as nft
from orchestra.linux import nftexpr as ex
from orchestra.linux.netlink import NetlinkError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    from orchestra.linux.netlink import NetlinkSocket

TABLE = "orchestra"
TCP, UDP = 6, 17
PROTOCOLS = {"tcp": TCP, "udp": UDP, "sctp": 132}

_LACKING = (errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.ENOENT)
"""What the kernel says to a table with a part (family, kind of chain, expression) it has not."""

_LOOPBACK = b"\x7f"
_LOOPBACK6 = bytes(15) + b"\1"


class Header(NamedTuple):
    """Where the addresses lie in one IP version's header."""

    family: int
    address_type: int
    length: int
    source: int
    destination: int


IPV4 = Header(nft.NFPROTO_IPV4, nft.TYPE_IPV4, 4, 12, 16)
IPV6 = Header(nft.NFPROTO_IPV6, nft.TYPE_IPV6, 16, 8, 24)


class Published(NamedTuple):
    """A host port and where it leads; *host_address* is empty for every address of the host."""

    protocol: int
    host_address: bytes
    host_port: int
    address: bytes
    port: int


class BridgeRules(NamedTuple):
    """A network as the rules see it."""

    bridge: str
    subnet: IPv4Network | IPv6Network
    internal: bool
    masquerade: bool


class Lacking(OSError):
    """The kernel has nf_tables, but not this IP version of it, or not all that the rules need."""


class Firewall:
    """The table of one IP version; the socket belongs to the caller."""

    def __init__(self, netlink: NetlinkSocket, header: Header = IPV4) -> None:
        self._netlink = netlink
        self._header = header

    def add_network(self, rules: BridgeRules) -> None:
        """Make the table if need be, and the network a member of its sets. Raises Lacking."""
        self._install()
        batch = nft.Batch(self._header.family)
        for name, members in self._memberships(rules):
            batch.add_elements(TABLE, name, members)
        batch.commit(self._netlink)

    def remove_network(self, rules: BridgeRules) -> None:
        """Take the network out of the sets; gone already is fine."""
        for name, members in self._memberships(rules):
            self._delete(name, members)

    def publish(self, port: Published) -> None:
        """Lead the host port to the container, replacing what it led to."""
        name, element = self._port_element(port)
        try:
            self._add(name, element)
        except NetlinkError as exc:
            if exc.errno != errno.EEXIST:
                raise
            self._delete(name, (element._replace(value=b""),))
            self._add(name, element)

    def unpublish(self, port: Published) -> None:
        """Gone already is fine."""
        name, element = self._port_element(port)
        self._delete(name, (element._replace(value=b""),))

    def uninstall(self) -> None:
        """Remove the table with all that is in it; gone already is fine."""
        batch = nft.Batch(self._header.family)
        batch.delete_table(TABLE)
        try:
            batch.commit(self._netlink)
        except NetlinkError as exc:
            if exc.errno != errno.ENOENT:
                raise

    def _add(self, name: str, element: nft.Element) -> None:
        batch = nft.Batch(self._header.family)
        batch.add_elements(TABLE, name, (element,))
        batch.commit(self._netlink)

    def _delete(self, name: str, members: tuple[nft.Element, ...]) -> None:
        batch = nft.Batch(self._header.family)
        batch.delete_elements(TABLE, name, members)
        try:
            batch.commit(self._netlink)
        except NetlinkError as exc:
            if exc.errno != errno.ENOENT:
                raise

    def _port_element(self, port: Published) -> tuple[str, nft.Element]:
        key = nft.field(bytes((port.protocol,))) + nft.field(port.host_port.to_bytes(2, "big"))
        value = port.address + nft.field(port.port.to_bytes(2, "big"))
        if port.host_address:
            return "ports_of_address", nft.Element(port.host_address + key, value)
        return "ports", nft.Element(key, value)

    def _memberships(self, rules: BridgeRules) -> Iterable[tuple[str, tuple[nft.Element, ...]]]:
        name = nft.ifname(rules.bridge)
        subnet = nft.interval(rules.subnet.network_address.packed, _last(rules.subnet))
        yield "bridges", (nft.Element(name),)
        yield "same_bridge", (nft.Element(name + name),)
        yield "subnets", subnet
        if rules.masquerade and not rules.internal:
            yield "masqueraded", subnet
        if rules.internal:
            yield "internal", (nft.Element(name),)

    def _install(self) -> None:
        """Make the table in one batch, unless somebody has."""
        if TABLE in nft.tables(self._netlink, self._header.family):
            return
        batch = nft.Batch(self._header.family)
        batch.add_table(TABLE, exclusive=True)
        for description in self._sets():
            batch.add_set(TABLE, description)
        for chain, rules in self._chains():
            batch.add_chain(TABLE, chain)
            for rule in rules:
                batch.add_rule(TABLE, chain.name, rule)
        try:
            batch.commit(self._netlink)
        except NetlinkError as exc:
            if exc.errno in _LACKING:
                raise Lacking(exc.errno, exc.strerror) from exc
            if exc.errno != errno.EEXIST:
                raise

    def _sets(self) -> tuple[nft.Set, ...]:
        name = (nft.TYPE_IFNAME, 16)
        address = (self._header.address_type, self._header.length)
        protocol, port = (nft.TYPE_PROTOCOL, 1), (nft.TYPE_PORT, 2)
        return (
            nft.Set("bridges", (name,)),
            nft.Set("internal", (name,)),
            nft.Set("same_bridge", (name, name)),
            nft.Set("subnets", (address,), interval=True),
            nft.Set("masqueraded", (address,), interval=True),
            nft.Set("ports", (protocol, port), (address, port)),
            nft.Set("ports_of_address", (address, protocol, port), (address, port)),
        )

    def _chains(self) -> tuple[tuple[nft.Chain, tuple[tuple[bytes, ...], ...]], ...]:
        published = self._publish_rules()
        chains = [
            (nft.Chain("prerouting", "nat", nft.HOOK_PREROUTING, nft.PRIORITY_DNAT), published),
            (nft.Chain("output", "nat", nft.HOOK_OUTPUT, nft.PRIORITY_DNAT), published),
            (
                nft.Chain("postrouting", "nat", nft.HOOK_POSTROUTING, nft.PRIORITY_SNAT),
                self._masquerade_rules(),
            ),
            (
                nft.Chain("forward", "filter", nft.HOOK_FORWARD, nft.PRIORITY_FILTER),
                _forward_rules(),
            ),
        ]
        if self._header is IPV4:
            raw = nft.Chain("martians", "filter", nft.HOOK_PREROUTING, nft.PRIORITY_RAW)
            chains.append((raw, self._martian_rules()))
        return tuple(chains)

    def _source(self, length: int = 0) -> bytes:
        return ex.payload(ex.NETWORK_HEADER, self._header.source, length or self._header.length)

    def _destination(self, length: int = 0) -> bytes:
        offset = self._header.destination
        return ex.payload(ex.NETWORK_HEADER, offset, length or self._header.length)

    def _publish_rules(self) -> tuple[tuple[bytes, ...], ...]:
        words = self._header.length // 4
        rewrite = ex.dnat(self._header.family, address=0, port=words)
        port = ex.payload(ex.TRANSPORT_HEADER, 2, 2, words + 1)
        anywhere = ex.payload(ex.TRANSPORT_HEADER, 2, 2, 1)
        # there is no route_localnet for ::1: connections to it are forwarded in user space
        beyond_loopback = self._destination() + ex.differs(_LOOPBACK6)
        routable = b"" if self._header is IPV4 else beyond_loopback
        return (
            (
                routable,
                self._destination(),
                ex.meta(ex.META_L4PROTO, words),
                port,
                ex.mapped("ports_of_address"),
                rewrite,
            ),
            (
                routable,
                ex.is_local_destination(),
                ex.meta(ex.META_L4PROTO),
                anywhere,
                ex.mapped("ports"),
                rewrite,
            ),
        )

    def _masquerade_rules(self) -> tuple[tuple[bytes, ...], ...]:
        to_bridge = ex.meta(ex.META_OIFNAME) + ex.member("bridges")
        elsewhere = ex.meta(ex.META_OIFNAME) + ex.not_member("bridges")
        hairpin = (
            self._source(),
            ex.member("subnets"),
            self._destination(),
            ex.member("subnets"),
            ex.connection_status(ex.CT_STATUS_DNAT),
            ex.masquerade(),
        )
        out = (self._source(), ex.member("masqueraded"), elsewhere, ex.masquerade())
        if self._header is not IPV4:
            return (hairpin, out)
        from_loopback = (to_bridge, self._source(1), ex.equals(_LOOPBACK), ex.masquerade())
        return (from_loopback, hairpin, out)

    def _martian_rules(self) -> tuple[tuple[bytes, ...], ...]:
        from_link = ex.meta(ex.META_IIFNAME) + ex.differs(nft.ifname("lo"))
        return (
            (from_link, self._destination(1), ex.equals(_LOOPBACK), ex.drop()),
            (from_link, self._source(1), ex.equals(_LOOPBACK), ex.drop()),
        )


def _forward_rules() -> tuple[tuple[bytes, ...], ...]:
    incoming = ex.meta(ex.META_IIFNAME)
    outgoing = ex.meta(ex.META_OIFNAME)
    to_bridge = outgoing + ex.member("bridges")
    return (
        (incoming, ex.meta(ex.META_OIFNAME, 4), ex.member("same_bridge"), ex.accept()),
        (incoming, ex.member("internal"), ex.drop()),
        (outgoing, ex.member("internal"), ex.drop()),
        (to_bridge, ex.connection_state(ex.CT_ESTABLISHED_OR_RELATED), ex.accept()),
        (to_bridge, ex.connection_status(ex.CT_STATUS_DNAT), ex.accept()),
        (to_bridge, ex.drop()),
    )


def _last(subnet: IPv4Network | IPv6Network) -> bytes:
    return subnet.broadcast_address.packed
