"""Bridges on the host: made, found again, removed; and what of the host's addresses is in use."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from orchestra.linux import rtnetlink as rt
from orchestra.linux.netlink import NetlinkError
from orchestra.named import NamedTuple
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from orchestra.linux.netlink import NetlinkSocket

_IPV4 = "/proc/sys/net/ipv4"
_IPV6 = "/proc/sys/net/ipv6"
_PREFIX = "or-"
_VETH = "ov"
_DOOMED = 0x6F726465
"""The group of links that are being deleted, by whatever project."""


class Bridge(NamedTuple):
    """A bridge as it shall be; addresses are (text, prefix length)."""

    name: str
    mtu: int  # 0 is the kernel's default
    addresses: tuple[tuple[str, int], ...]
    route_localnet: bool  # from 127.0.0.1 into it; only behind rules that drop the way back


def bridge_name(network: str) -> str:
    """The link's name for a network: the same every time, at most 15 bytes (IFNAMSIZ)."""
    return _PREFIX + sha256(network.encode()).hexdigest()[:12]


def veth_name(container_id: str, position: int) -> str:
    """The host's end of a container's interface."""
    return f"{_VETH}{container_id[:10]}{position:x}"


def free_position(container_id: str) -> int:
    """The first interface number for which the host has no link of this container."""
    position = 0
    while link_index(veth_name(container_id, position)):
        position += 1
    return position


def ensure_bridge(netlink: NetlinkSocket, bridge: Bridge) -> None:
    """Make *bridge*, up, with its addresses, and let the host forward packets."""
    digest = sha256(bridge.name.encode()).digest()
    try:
        netlink.transact((rt.create_bridge(bridge.name, b"\x02\x42" + digest[:4], bridge.mtu),))
    except NetlinkError as exc:
        if exc.errno != errno.EEXIST:
            raise
    index = socket.if_nametoindex(bridge.name)
    netlink.transact(
        [rt.set_up(index)]
        + [
            rt.add_address(index, ip_address(address).packed, prefix_length)
            for address, prefix_length in bridge.addresses
        ]
    )
    if bridge.route_localnet:
        _write(f"{_IPV4}/conf/{bridge.name}/route_localnet", "1")
    _write(f"{_IPV4}/ip_forward", "1")
    if any(":" in address for address, _ in bridge.addresses):
        _write(f"{_IPV6}/conf/all/forwarding", "1")


def rewrites_inside_bridges() -> bool:
    """Is br_netfilter at work (Docker loads it)?"""
    try:
        with open("/proc/sys/net/bridge/bridge-nf-call-iptables") as file:
            return file.read().strip() == "1"
    except OSError:
        return False


def link_index(name: str) -> int:
    """0 when there is no such link."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def delete_bridge(netlink: NetlinkSocket, name: str) -> None:
    """Remove a bridge with its veth links; gone already is fine.

    Links of exited containers linger until the kernel has cleaned up their namespaces. Deleted
    one by one each link takes 10 to 20 ms, as the kernel waits for all processors every time
    (RCU); a whole group takes as long as one link.
    """
    index = link_index(name)
    left = [port for port in rt.ports(netlink, index).values() if port.startswith(_VETH)]
    doomed = [rt.set_group(link, _DOOMED) for link in (*left, name)]
    for messages in (doomed, (rt.delete_group(_DOOMED),)):
        try:
            netlink.transact(messages)
        except NetlinkError as exc:
            if exc.errno != errno.ENODEV:
                raise


def networks_in_use(netlink: NetlinkSocket, own: set[str]) -> list[IPv4Network | IPv6Network]:
    """What the host's links and routes lead to, but for the links named in *own*."""
    names = rt.link_names(netlink)
    found = []
    for place in rt.link_addresses(netlink) + rt.route_destinations(netlink):
        if names.get(place.number) not in own:
            address = ip_address(place.address)
            found.append(ip_network(f"{address}/{place.prefix_length}", strict=False))
    return found


def _write(path: str, value: str) -> None:
    """Set a sysctl unless it is so already: /proc/sys may be read-only where it need not change."""
    with suppress(FileNotFoundError), open(path) as file:
        if file.read().strip() == value:
            return
    with open(path, "w") as file:
        file.write(value)
