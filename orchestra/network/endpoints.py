"""Order and shape of a container's interfaces: decisions without I/O."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.network.links import veth_name
from orchestra.network.setup import Gateway, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra.model.container import ContainerSpec, Endpoint
    from orchestra.model.network import NetworkSpec
    from orchestra.model.state import EndpointState

ICC = "com.docker.network.bridge.enable_icc"
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade"
BRIDGE_NAME = "com.docker.network.bridge.name"
MTU = "com.docker.network.driver.mtu"
HOST_BINDING = "com.docker.network.bridge.host_binding_ipv4"
INTERFACE_PREFIX = "com.docker.network.container_iface_prefix"
INTERFACE_NAME = "com.docker.network.endpoint.ifname"


def in_interface_order(spec: ContainerSpec) -> tuple[Endpoint, ...]:
    """eth0 first: by descending `priority`, then by the network's name."""
    return tuple(sorted(spec.endpoints, key=lambda each: (-each.priority, each.network)))


def in_gateway_order(
    endpoints: Sequence[Endpoint], internal: Callable[[str], bool]
) -> tuple[Endpoint, ...]:
    """The default route's network first: highest `gw_priority`, then with a way out, then by name.

    Names are looked up in the same order.
    """
    return tuple(
        sorted(
            endpoints,
            key=lambda each: (-each.gw_priority, internal(each.network), each.network),
        )
    )


def option(spec: NetworkSpec, name: str, default: str = "") -> str:
    """A driver option of a network."""
    return dict(spec.driver_opts).get(name, default)


def is_enabled(spec: NetworkSpec, name: str) -> bool:
    """A boolean driver option that is on unless it says no."""
    return option(spec, name, "true").lower() not in ("false", "0", "f")


def interface_names(
    endpoints: Sequence[Endpoint], networks: Sequence[NetworkSpec]
) -> tuple[str, ...]:
    """What each is called in the container: as asked for, or the network's prefix and a number."""
    asked = [each.interface_name or dict(each.driver_opts).get(INTERFACE_NAME, "")
             for each in endpoints]  # fmt: skip
    names: list[str] = []
    for wanted, network in zip(asked, networks, strict=True):
        prefix, number = option(network, INTERFACE_PREFIX) or "eth", 0
        while not wanted and f"{prefix}{number}" in {*asked, *names}:
            number += 1
        names.append(wanted or f"{prefix}{number}")
    return tuple(names)


class LinkPlace(NamedTuple):
    """The *position*-th interface of a container, on the bridge with this link number.

    *bridged_nat*: the kernel rewrites addresses inside the bridge (br_netfilter), so a container
    that reaches itself by a published port needs a port that sends back.
    """

    container_id: str
    position: int
    bridge_index: int
    bridged_nat: bool
    name: str


def plan_link(
    place: LinkPlace, endpoint: Endpoint, state: EndpointState, network: NetworkSpec
) -> Link:
    """The interface for *endpoint*."""
    addresses = [(ip_address(state.address).packed, state.prefix_length)] if state.address else []
    if state.address6:
        addresses.append((ip_address(state.address6).packed, state.prefix6_length))
    for text in endpoint.link_local_ips:
        address = ip_address(text)
        addresses.append((address.packed, 16 if address.version == 4 else 64))
    return Link(
        name=place.name,
        host_name=veth_name(place.container_id, place.position),
        bridge_index=place.bridge_index,
        mac=bytes.fromhex(state.mac.replace(":", "").replace("-", "")),
        mtu=int(option(network, MTU, "0") or "0"),
        isolated=not is_enabled(network, ICC),
        hairpin=place.bridged_nat,
        addresses=tuple(addresses),
    )


def plan_gateways(
    endpoints: Sequence[Endpoint],
    states: Sequence[EndpointState],
    internal: Callable[[str], bool],
    on_link: Callable[[str], bool],
) -> tuple[Gateway, ...]:
    """The default routes, one for each IP version; none through an internal network.

    Where a network is *on_link*, everything is reached without a gateway.
    """
    positions = {endpoint.network: position for position, endpoint in enumerate(endpoints)}
    gateways: dict[int, Gateway] = {}
    for endpoint in in_gateway_order(endpoints, internal):
        position = positions[endpoint.network]
        if internal(endpoint.network):
            continue
        state = states[position]
        ways = (state.gateway, state.gateway6)
        if on_link(endpoint.network):
            ways = ("0.0.0.0" if state.address else "", "::" if state.address6 else "")  # noqa: S104
        for address in (ip_address(text) for text in ways if text):
            gateways.setdefault(address.version, Gateway(position, address.packed))
    return tuple(gateways.values())
