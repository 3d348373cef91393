"""NetworkSetup: the links of a new network namespace, made by the forked child itself.

One message through the host's netlink socket makes each veth pair with its far end already in the
new namespace; one more datagram there brings it up and gives addresses and routes.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestra.linux import rtnetlink as rt
from orchestra.linux.netlink import NETLINK_ROUTE, NetlinkError, NetlinkSocket
from orchestra.named import NamedTuple
from orchestra.network import redirect

if TYPE_CHECKING:
    from orchestra.linux.netlink import Message

_NO_IPV6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6"


VETH = "veth"
_BUSY = (errno.EBUSY, errno.EADDRINUSE)
_PATIENCE_S, _PAUSE_S = 2.0, 0.02


class Link(NamedTuple):
    """One interface of the container; addresses are packed."""

    name: str  # in the container
    host_name: str
    bridge_index: int
    mac: bytes
    mtu: int  # 0 is the kernel's default
    isolated: bool
    hairpin: bool
    addresses: tuple[tuple[bytes, int], ...]  # with prefix lengths
    kind: str = VETH
    mode: int = 0  # of macvlan and ipvlan, on the link *bridge_index*
    flag: int = 0


class Gateway(NamedTuple):
    link: int  # position in the links
    address: bytes  # zeros: everything is on the link itself


class NamespaceSetup:
    """What a container's namespace shall have; without links only the loopback goes up."""

    def __init__(
        self,
        container_id: str,
        links: tuple[Link, ...],
        gateways: tuple[Gateway, ...],
        *,
        name_server: bool,
    ) -> None:
        self._container_id = container_id
        self._links = links
        self._gateways = gateways
        self._name_server = name_server
        self._host: NetlinkSocket | None = None

    def open_host(self) -> None:
        """Open the socket that speaks for the host's namespace."""
        if self._links:
            self._host = NetlinkSocket(NETLINK_ROUTE)

    def configure(self) -> tuple[int, ...]:
        """Make links, addresses, routes; the name server's UDP and TCP sockets, if it has one."""
        has_ipv6 = any(len(address) == 16 for link in self._links for address, _ in link.addresses)
        if self._links and not has_ipv6:
            _switch_off_ipv6()
        if self._host is not None:
            for link in self._links:
                create_link(self._host, link, os.getpid())
            self._host.close()
        with NetlinkSocket(NETLINK_ROUTE) as own:
            for link in self._links:
                give_name(own, link)
            self._bring_up(own)
        if not self._name_server:
            return ()
        udp, tcp = redirect.open_server(self._container_id)
        return udp.detach(), tcp.detach()

    def _bring_up(self, own: NetlinkSocket) -> None:
        """A macvlan's or ipvlan's addresses may be those of an earlier run, whose end is near."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                own.transact(self._own_messages())
            except NetlinkError as exc:
                stacked = any(link.kind != VETH for link in self._links)
                if not stacked or exc.errno not in _BUSY or time.monotonic() > deadline_s:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _own_messages(self) -> list[Message]:
        messages = [rt.set_up(rt.LOOPBACK_INDEX)]
        numbers = [socket.if_nametoindex(link.name) for link in self._links]
        for number, link in zip(numbers, self._links, strict=True):
            messages.append(rt.set_up(number))
            for address, prefix_length in link.addresses:
                messages.append(rt.add_address(number, address, prefix_length))
        messages += [
            rt.add_default_route(numbers[gateway.link], gateway.address)
            for gateway in self._gateways
        ]
        return messages


def create_link(host: NetlinkSocket, link: Link, pid: int) -> None:
    """Make *link* in the namespace of *pid*, down; see `give_name`."""
    if link.kind == VETH:
        _create_veth(host, link, pid)
        return
    child = rt.Child(
        link.kind,
        link.host_name,
        link.bridge_index,
        link.mode,
        link.flag,
        link.mac,
        link.mtu,
        pid,
    )
    host.transact((rt.create_child(child),))


def give_name(own: NetlinkSocket, link: Link) -> None:
    """Called in the namespace: a macvlan or ipvlan has come under a name that was free outside."""
    if link.kind != VETH:
        own.transact((rt.rename(socket.if_nametoindex(link.host_name), link.name),))


def _create_veth(host: NetlinkSocket, link: Link, pid: int) -> None:
    """The pair: one end in the bridge, the other in the namespace of *pid*, still down."""
    peer = rt.Peer(link.name, link.mac, pid)
    messages = [rt.create_veth(link.host_name, link.bridge_index, link.mtu, peer)]
    if link.isolated or link.hairpin:
        messages.append(
            rt.set_bridge_port(link.host_name, isolated=link.isolated, hairpin=link.hairpin)
        )
    try:
        host.transact(messages)
    except NetlinkError as exc:
        if exc.errno != errno.EEXIST:
            raise
        # left of the container's last run: its namespace has not been cleaned up yet
        with suppress(NetlinkError):
            host.transact((rt.delete_link(link.host_name),))
        host.transact(messages)


def _switch_off_ipv6() -> None:
    """No link-local addresses and router solicitations on networks without IPv6, as Docker."""
    with suppress(FileNotFoundError), open(_NO_IPV6, "w") as file:
        file.write("1")
