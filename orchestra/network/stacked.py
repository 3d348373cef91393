"""Networks of the drivers macvlan and ipvlan: containers beside the host on a link of it, *parent*.

The parent is there, or is made: a VLAN of a link ("eth0.10"), or, without the option `parent`, a
link that leads nowhere. Links that we made carry the alias "orchestra" and go with their last
network; others are left alone. docs/networking.md tells what such networks are good for.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound, OrchestraError, Unsupported
from orchestra.linux import rtnetlink as rt
from orchestra.linux.netlink import NetlinkError
from orchestra.named import NamedTuple
from orchestra.network import endpoints as ep
from orchestra.network.links import link_index
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.linux.netlink import Message, NetlinkSocket
    from orchestra.model.network import NetworkSpec

MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}
IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
_MODES = {"macvlan": MACVLAN_MODES, "ipvlan": IPVLAN_MODES}
_MOST_VLANS = 4094
_LACKING = (errno.EOPNOTSUPP, errno.EPROTONOSUPPORT)


class Stacked(NamedTuple):
    """*mode* and *flag* are the kernel's numbers. *on_link*: there is no gateway to route by."""

    kind: str
    parent: str
    mode: int
    flag: int = 0
    on_link: bool = False


def is_stacked(spec: NetworkSpec) -> bool:
    return spec.driver in _MODES


def stacked_of(spec: NetworkSpec) -> Stacked:
    """What a network of these drivers asks for. Raises ConfigError for an unknown mode."""
    kind = spec.driver
    parent = ep.option(spec, "parent")
    if parent == "lo":
        raise ConfigError(f"network {spec.name}: lo cannot be the parent of a {kind} network")
    default = "bridge" if kind == "macvlan" else "l2"
    mode = _one_of(_MODES[kind], spec, f"{kind}_mode", default)
    flag = _one_of(IPVLAN_FLAGS, spec, "ipvlan_flag", "bridge") if kind == "ipvlan" else 0
    on_link = kind == "ipvlan" and mode != IPVLAN_MODES["l2"]
    return Stacked(kind, parent or _nowhere(spec.name), mode, flag, on_link)


def ensure_parent(netlink: NetlinkSocket, spec: NetworkSpec) -> None:
    """Make the parent unless it is there. Raises NotFound, Unsupported (kernel without VLANs)."""
    parent = stacked_of(spec).parent
    if link_index(parent):
        return
    message = _parent(spec, parent)
    try:
        netlink.transact((message, rt.mark_as_ours(parent)))
    except NetlinkError as exc:
        if exc.errno in _LACKING:
            raise Unsupported(
                f"network {spec.name}: this kernel cannot make the link {parent}",
                fix="give it a parent that exists: driver_opts: {parent: eth0}",
            ) from exc
        if exc.errno != errno.EEXIST:
            raise
    netlink.transact((rt.set_up(socket.if_nametoindex(parent)),))


def delete_parent(netlink: NetlinkSocket, spec: NetworkSpec) -> None:
    """Remove the parent if we made it; gone already is fine."""
    parent = stacked_of(spec).parent
    if rt.link_alias(netlink, parent) == rt.ALIAS:
        try:
            netlink.transact((rt.delete_link(parent),))
        except NetlinkError as exc:
            if exc.errno != errno.ENODEV:
                raise


def why_not_beside(spec: NetworkSpec, other: NetworkSpec) -> OrchestraError | None:
    """The reason why the two cannot have the same parent; None when they do not, or can."""
    if not is_stacked(other) or other.name == spec.name:
        return None
    ours, theirs = stacked_of(spec), stacked_of(other)
    alone = "macvlan", MACVLAN_MODES["passthru"]
    is_alone = alone in ((ours.kind, ours.mode), (theirs.kind, theirs.mode))
    if ours.parent != theirs.parent or (ours.kind == theirs.kind and not is_alone):
        return None
    return ConfigError(
        f"network {spec.name}: the {theirs.kind} network {other.name} is already using the parent "
        f"interface {ours.parent}",
        fix="choose another parent, or the same driver without the mode passthru",
    )


def _parent(spec: NetworkSpec, parent: str) -> Message:
    if parent == _nowhere(spec.name):
        return rt.create_dummy(parent)
    base, _, number = parent.rpartition(".")
    index = link_index(base)
    if not number.isdecimal() or not 0 < int(number) <= _MOST_VLANS or index == 0:
        raise NotFound(
            f"network {spec.name}: the parent interface {parent} was not found on the host",
            fix="`ip link` lists them; for a VLAN write LINK.NUMBER, such as eth0.10",
        )
    return rt.create_vlan(parent, index, int(number))


def _nowhere(network: str) -> str:
    """The name of a link that leads nowhere, for a network without a parent."""
    return "od-" + sha256(network.encode()).hexdigest()[:12]


def _one_of(known: Mapping[str, int], spec: NetworkSpec, option: str, default: str) -> int:
    value = ep.option(spec, option, default)
    if value not in known:
        raise ConfigError(
            f"network {spec.name}: requested {option} {value!r} is not valid",
            fix="write one of " + ", ".join(known),
        )
    return known[value]
