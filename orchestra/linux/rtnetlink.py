"""Links, addresses and routes as rtnetlink messages (rtnetlink(7)); `netlink` sends them.

Each function builds one message, so that a caller can send several at once. Addresses are packed
(4 or 16 bytes), link-layer addresses six bytes.
"""

from __future__ import annotations

import socket
import struct

from orchestra.linux.netlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    Message,
    NetlinkSocket,
    attribute,
    attributes,
    nested,
    text,
    u32,
)
from orchestra.named import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

RTM_NEWLINK = 16
RTM_DELLINK = 17
RTM_GETLINK = 18
RTM_NEWADDR = 20
RTM_GETADDR = 22
RTM_NEWROUTE = 24
RTM_GETROUTE = 26

IFF_UP = 0x1

IFLA_ADDRESS = 1
IFLA_IFNAME = 3
IFLA_MTU = 4
IFLA_LINK = 5
IFLA_MASTER = 10
IFLA_LINKINFO = 18
IFLA_NET_NS_PID = 19
IFLA_IFALIAS = 20
IFLA_GROUP = 27
IFLA_INFO_KIND = 1
IFLA_INFO_DATA = 2
IFLA_INFO_SLAVE_KIND = 4
IFLA_INFO_SLAVE_DATA = 5
IFLA_BRPORT_MODE = 4
IFLA_BRPORT_ISOLATED = 33
VETH_INFO_PEER = 1
IFLA_MACVLAN_MODE = 1
IFLA_IPVLAN_MODE = 1
IFLA_IPVLAN_FLAGS = 2
IFLA_VLAN_ID = 1

IFA_ADDRESS = 1
IFA_LOCAL = 2
IFA_BROADCAST = 4
IFA_FLAGS = 8
IFA_F_NODAD = 0x02

RTA_DST = 1
RTA_OIF = 4
RTA_GATEWAY = 5
RT_TABLE_MAIN = 254
RTPROT_BOOT = 3
RTN_UNICAST = 1
RT_SCOPE_LINK = 253

LOOPBACK_INDEX = 1
ALIAS = "orchestra"
"""Set on links of the host that may have been there before, so that ours are known again."""

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")


class Peer(NamedTuple):
    """The end of a veth pair that goes into another network namespace."""

    name: str
    mac: bytes
    pid: int  # a process of the namespace


class LinkAddress(NamedTuple):
    number: int  # link index
    family: int
    address: bytes
    prefix_length: int


def _family(address: bytes) -> int:
    return socket.AF_INET if len(address) == 4 else socket.AF_INET6


def _link(index: int = 0, *, up: bool = False) -> bytes:
    return _LINK.pack(0, 0, index, IFF_UP if up else 0, IFF_UP if up else 0)


def create_bridge(name: str, mac: bytes, mtu: int) -> Message:
    """A bridge, up. Its address is set, hence it does not change with its ports."""
    payload = (
        _link(up=True)
        + text(IFLA_IFNAME, name)
        + attribute(IFLA_ADDRESS, mac)
        + (u32(IFLA_MTU, mtu) if mtu else b"")
        + nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, "bridge"))
    )
    return Message(RTM_NEWLINK, payload, NLM_F_CREATE | NLM_F_EXCL, f"create bridge {name}")


def create_veth(name: str, bridge_index: int, mtu: int, peer: Peer) -> Message:
    """A veth pair: *name* is here, up and a port of the bridge; *peer* is elsewhere and down.

    The kernel refuses to bring the peer up (ENOTCONN) before the pair is complete.
    """
    size = u32(IFLA_MTU, mtu) if mtu else b""
    other = (
        _link()
        + text(IFLA_IFNAME, peer.name)
        + attribute(IFLA_ADDRESS, peer.mac)
        + u32(IFLA_NET_NS_PID, peer.pid)
        + size
    )
    payload = (
        _link(up=True)
        + text(IFLA_IFNAME, name)
        + u32(IFLA_MASTER, bridge_index)
        + size
        + nested(
            IFLA_LINKINFO,
            text(IFLA_INFO_KIND, "veth"),
            nested(IFLA_INFO_DATA, nested(VETH_INFO_PEER, other)),
        )
    )
    return Message(RTM_NEWLINK, payload, NLM_F_CREATE | NLM_F_EXCL, f"create veth {name}")


class Child(NamedTuple):
    """A macvlan or ipvlan link on *parent_index*, in the namespace of *pid*, still down."""

    kind: str
    name: str
    parent_index: int
    mode: int
    flag: int  # ipvlan only
    mac: bytes  # macvlan only; an ipvlan has its parent's
    mtu: int  # 0 is the parent's
    pid: int


def create_child(child: Child) -> Message:
    """The kernel looks for *child*'s name in this namespace too, so it must be free in both."""
    if child.kind == "macvlan":
        settings = u32(IFLA_MACVLAN_MODE, child.mode)
        address = attribute(IFLA_ADDRESS, child.mac)
    else:
        settings = attribute(IFLA_IPVLAN_MODE, struct.pack("=H", child.mode))
        settings += attribute(IFLA_IPVLAN_FLAGS, struct.pack("=H", child.flag))
        address = b""
    payload = (
        _link()
        + text(IFLA_IFNAME, child.name)
        + u32(IFLA_LINK, child.parent_index)
        + address
        + (u32(IFLA_MTU, child.mtu) if child.mtu else b"")
        + u32(IFLA_NET_NS_PID, child.pid)
        + nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, child.kind), nested(IFLA_INFO_DATA, settings))
    )
    return Message(RTM_NEWLINK, payload, NLM_F_CREATE | NLM_F_EXCL, f"create {child.kind}")


def create_dummy(name: str) -> Message:
    """A link that leads nowhere."""
    payload = (
        _link() + text(IFLA_IFNAME, name) + nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, "dummy"))
    )
    return Message(RTM_NEWLINK, payload, NLM_F_CREATE | NLM_F_EXCL, f"create dummy {name}")


def create_vlan(name: str, parent_index: int, number: int) -> Message:
    """The VLAN *number* of a link."""
    payload = (
        _link()
        + text(IFLA_IFNAME, name)
        + u32(IFLA_LINK, parent_index)
        + nested(
            IFLA_LINKINFO,
            text(IFLA_INFO_KIND, "vlan"),
            nested(IFLA_INFO_DATA, attribute(IFLA_VLAN_ID, struct.pack("=H", number))),
        )
    )
    return Message(RTM_NEWLINK, payload, NLM_F_CREATE | NLM_F_EXCL, f"create vlan {name}")


def mark_as_ours(name: str) -> Message:
    """Give the link our alias; the kernel ignores one that is set at creation."""
    payload = _link() + text(IFLA_IFNAME, name) + text(IFLA_IFALIAS, ALIAS)
    return Message(RTM_NEWLINK, payload, 0, f"set alias of link {name}")


def rename(index: int, name: str) -> Message:
    """A link that is down gets another name."""
    return Message(RTM_NEWLINK, _link(index) + text(IFLA_IFNAME, name), 0, f"name link {name}")


def set_bridge_port(name: str, *, isolated: bool, hairpin: bool) -> Message:
    """How a bridge treats a port of it.

    An *isolated* one does not talk to other isolated ones (Linux 4.18). A *hairpin* one may get
    back what it has sent.
    """
    payload = (
        _link()
        + text(IFLA_IFNAME, name)
        + nested(
            IFLA_LINKINFO,
            text(IFLA_INFO_SLAVE_KIND, "bridge"),
            nested(
                IFLA_INFO_SLAVE_DATA,
                attribute(IFLA_BRPORT_MODE, bytes((hairpin,))),
                attribute(IFLA_BRPORT_ISOLATED, b"\1") if isolated else b"",
            ),
        )
    )
    return Message(RTM_NEWLINK, payload, 0, f"set bridge port {name}")


def set_up(index: int) -> Message:
    return Message(RTM_NEWLINK, _link(index, up=True), 0, f"set link {index} up")


def delete_link(name: str) -> Message:
    return Message(RTM_DELLINK, _link() + text(IFLA_IFNAME, name), 0, f"delete link {name}")


def set_group(name: str, group: int) -> Message:
    """Put a link into a *group* of links, a number above 0; see `delete_group`."""
    payload = _link() + text(IFLA_IFNAME, name) + u32(IFLA_GROUP, group)
    return Message(RTM_NEWLINK, payload, 0, f"set group of link {name}")


def delete_group(group: int) -> Message:
    """Delete all links of a group at once. The kernel answers ENODEV when it has none."""
    return Message(RTM_DELLINK, _link() + u32(IFLA_GROUP, group), 0, f"delete link group {group}")


def add_address(index: int, address: bytes, prefix_length: int) -> Message:
    """Give the link *address*, with IPv4's usual broadcast address; there already is fine."""
    payload = _ADDRESS.pack(_family(address), prefix_length, 0, 0, index)
    payload += attribute(IFA_LOCAL, address) + attribute(IFA_ADDRESS, address)
    if len(address) == 4:
        host_bits = (1 << (32 - prefix_length)) - 1
        broadcast = int.from_bytes(address, "big") | host_bits
        if prefix_length < 31:
            payload += attribute(IFA_BROADCAST, broadcast.to_bytes(4, "big"))
    else:
        payload += u32(IFA_FLAGS, IFA_F_NODAD)
    return Message(
        RTM_NEWADDR, payload, NLM_F_CREATE | NLM_F_REPLACE, f"add an address to link {index}"
    )


def add_default_route(index: int, gateway: bytes) -> Message:
    """By *gateway*; zeros mean that everything is on the link itself."""
    on_link = not any(gateway)
    scope = RT_SCOPE_LINK if on_link and len(gateway) == 4 else 0
    payload = _ROUTE.pack(
        _family(gateway), 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST, 0
    )
    payload += b"" if on_link else attribute(RTA_GATEWAY, gateway)
    payload += u32(RTA_OIF, index)
    return Message(
        RTM_NEWROUTE,
        payload,
        NLM_F_CREATE | NLM_F_REPLACE,
        f"add the default route by link {index}",
    )


class _ListedLink(NamedTuple):
    number: int  # link index
    name: str
    parts: dict[int, bytes]


def _links(netlink: NetlinkSocket) -> Iterator[_ListedLink]:
    """Every link of the namespace."""
    for answer in netlink.dump(Message(RTM_GETLINK, _link(), 0, "list links")):
        index: int = _LINK.unpack_from(answer.payload)[2]
        parts = dict(attributes(answer.payload[_LINK.size :]))
        yield _ListedLink(index, _text_of(parts, IFLA_IFNAME), parts)


def _text_of(parts: dict[int, bytes], kind: int) -> str:
    """Empty when there is no such attribute."""
    return parts.get(kind, b"").rstrip(b"\0").decode(errors="replace")


def link_names(netlink: NetlinkSocket) -> dict[int, str]:
    """Every link of the namespace: index to name."""
    return {link.number: link.name for link in _links(netlink)}


def links_of_kind(netlink: NetlinkSocket, kinds: frozenset[str]) -> list[str]:
    """The names of the links of these *kinds*, such as "macvlan"."""
    found: list[str] = []
    for link in _links(netlink):
        details = dict(attributes(link.parts.get(IFLA_LINKINFO, b"")))
        if _text_of(details, IFLA_INFO_KIND) in kinds:
            found.append(link.name)
    return found


def link_alias(netlink: NetlinkSocket, name: str) -> str:
    """The alias of the link *name*, "" when it has none or there is no such link."""
    for link in _links(netlink):
        if link.name == name:
            return _text_of(link.parts, IFLA_IFALIAS)
    return ""


def ports(netlink: NetlinkSocket, bridge_index: int) -> dict[int, str]:
    """The links that belong to a bridge: index to name."""
    master = struct.pack("=I", bridge_index)
    return {
        link.number: link.name for link in _links(netlink) if link.parts.get(IFLA_MASTER) == master
    }


def link_addresses(netlink: NetlinkSocket) -> list[LinkAddress]:
    """Every address of the namespace."""
    found: list[LinkAddress] = []
    message = Message(RTM_GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0), 0, "list addresses")
    for answer in netlink.dump(message):
        family, prefix_length, _flags, _scope, index = _ADDRESS.unpack_from(answer.payload)
        parts = dict(attributes(answer.payload[_ADDRESS.size :]))
        address = parts.get(IFA_LOCAL) or parts.get(IFA_ADDRESS)
        if address and family in (socket.AF_INET, socket.AF_INET6):
            found.append(LinkAddress(index, family, address, prefix_length))
    return found


def route_destinations(netlink: NetlinkSocket) -> list[LinkAddress]:
    """The destinations of the main table's routes, without the default route."""
    found: list[LinkAddress] = []
    header = _ROUTE.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)
    for answer in netlink.dump(Message(RTM_GETROUTE, header, 0, "list routes")):
        family, length, _src, _tos, table, *_rest = _ROUTE.unpack_from(answer.payload)
        parts = dict(attributes(answer.payload[_ROUTE.size :]))
        if table != RT_TABLE_MAIN or RTA_DST not in parts or length == 0:
            continue
        index = struct.unpack("=I", parts.get(RTA_OIF, bytes(4)))[0]
        if family in (socket.AF_INET, socket.AF_INET6):
            found.append(LinkAddress(index, family, parts[RTA_DST], length))
    return found
