"""Interfaces of a container that runs: added, taken away, its default routes changed.

Called by a process with one thread, which visits the container's network namespace for a moment.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from orchestra.errors import RuntimeFailure
from orchestra.linux import rtnetlink as rt
from orchestra.linux.namespaces import network_namespace_behind, network_namespace_of
from orchestra.linux.netlink import NETLINK_ROUTE, NetlinkSocket
from orchestra.network.setup import create_link, give_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.model.state import EndpointState
    from orchestra.network.setup import Link

_STACKED = frozenset({"macvlan", "ipvlan"})
_NO_IPV6 = "/proc/sys/net/ipv6/conf/{}/disable_ipv6"


def plug(pid: int, link: Link) -> None:
    """Give the container *link*, up and with its addresses; one that it has already is left alone.

    An "ethN" whose name is taken gets the next free number. Raises RuntimeFailure.
    """
    try:
        with network_namespace_of(pid), NetlinkSocket(NETLINK_ROUTE) as own:
            if _index_of(own, (address for address, _ in link.addresses)):
                return
            names = set(rt.link_names(own).values())
        named = link._replace(name=_free_name(link.name, names))
        with NetlinkSocket(NETLINK_ROUTE) as host:
            create_link(host, named, pid)
        with network_namespace_of(pid), NetlinkSocket(NETLINK_ROUTE) as own:
            _bring_up(own, named)
    except OSError as exc:
        raise RuntimeFailure(f"cannot add an interface to the running container: {exc}") from exc


def unplug(pid: int, addresses: Iterable[str]) -> None:
    """Delete the interface that has one of *addresses*; gone already is fine."""
    packed = [ip_address(text).packed for text in addresses if text]
    with (
        suppress(ProcessLookupError, FileNotFoundError),
        network_namespace_of(pid),
        NetlinkSocket(NETLINK_ROUTE) as own,
    ):
        index = _index_of(own, packed)
        if index:
            own.transact((rt.delete_link(rt.link_names(own)[index]),))


def delete_stacked(socket_fd: int) -> None:
    """Delete the macvlan and ipvlan links of the namespace that a socket is in.

    The namespace of a container that has ended lives on as long as somebody has a socket in it, and
    the parent would refuse a new link with the same address.
    """
    with network_namespace_behind(socket_fd), NetlinkSocket(NETLINK_ROUTE) as own:
        for name in rt.links_of_kind(own, _STACKED):
            own.transact((rt.delete_link(name),))


def route(pid: int, gateways: Sequence[tuple[EndpointState, bytes]]) -> None:
    """Make each gateway the default one of its IP version, through the interface of its place."""
    if not gateways:
        return
    try:
        with network_namespace_of(pid), NetlinkSocket(NETLINK_ROUTE) as own:
            for state, gateway in gateways:
                places = (
                    ip_address(text).packed for text in (state.address, state.address6) if text
                )
                index = _index_of(own, places)
                if index:
                    own.transact((rt.add_default_route(index, gateway),))
    except OSError as exc:
        raise RuntimeFailure(f"cannot set the default route of the container: {exc}") from exc


def _bring_up(own: NetlinkSocket, link: Link) -> None:
    give_name(own, link)
    index = next(number for number, name in rt.link_names(own).items() if name == link.name)
    if any(len(address) == 16 for address, _ in link.addresses):
        with suppress(FileNotFoundError), open(_NO_IPV6.format(link.name), "w") as file:
            file.write("0")  # a container that began without IPv6 has it switched off by default
    messages = [rt.set_up(index)]
    messages += [rt.add_address(index, address, length) for address, length in link.addresses]
    own.transact(messages)


def _index_of(own: NetlinkSocket, addresses: Iterable[bytes]) -> int:
    """The link that has one of *addresses*; 0 when there is none."""
    wanted = set(addresses)
    found = (each.number for each in rt.link_addresses(own) if each.address in wanted)
    return next(found, 0)


def _free_name(wanted: str, taken: set[str]) -> str:
    """*wanted*, or its letters with the lowest number that nobody has."""
    if wanted not in taken:
        return wanted
    letters = wanted.rstrip("0123456789")
    number = 0
    while f"{letters}{number}" in taken:
        number += 1
    return f"{letters}{number}"
