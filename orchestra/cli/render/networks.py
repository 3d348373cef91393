"""Networks as `docker network ls` and `docker network inspect` show them."""

from __future__ import annotations

from orchestra.cli.render.duration import go_time_nano, rfc3339_local_nano
from orchestra.cli.render.listing import Item, listing_text
from orchestra.model.hashing import network_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.network import IpamPool, NetworkState
    from orchestra.ops.networks import Member

_COLUMNS = ("ID", "Name", "Driver", "Scope")
_HEADERS = {
    "ID": "NETWORK ID",
    "Name": "NAME",
    "Driver": "DRIVER",
    "Scope": "SCOPE",
    "CreatedAt": "CREATED AT",
}


def networks_text(
    networks: Iterable[NetworkState], template: str, *, quiet: bool, full_ids: bool
) -> str:
    """The list as *template* says; with *quiet* and no template of its own the ids alone."""
    items = [_item(network, full_ids=full_ids) for network in networks]
    if quiet and template in ("", "table"):
        return "".join(f"{item.fields['ID']}\n" for item in items)
    return listing_text(items, template, headers=_HEADERS, columns=_COLUMNS)


def network_record(network: NetworkState, members: Iterable[Member]) -> dict[str, object]:
    """What `inspect` shows."""
    spec = network.spec
    return {
        "Name": spec.name,
        "Id": network_id(network),
        "Created": rfc3339_local_nano(network.created_ns),
        "Scope": "local",
        "Driver": spec.driver or "bridge",
        "EnableIPv4": bool(network.subnet),
        "EnableIPv6": bool(network.subnet6),
        "IPAM": {
            "Driver": spec.ipam_driver or "default",
            "Options": dict(spec.ipam_options),
            "Config": [
                _pool(spec.pools, subnet, gateway)
                for subnet, gateway in (
                    (network.subnet, network.gateway),
                    (network.subnet6, network.gateway6),
                )
                if subnet
            ],
        },
        "Internal": spec.internal,
        "Attachable": spec.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {member.id: _member(network, member) for member in members},
        "Options": dict(spec.driver_opts),
        "Labels": dict(spec.labels),
    }


def _pool(pools: Iterable[IpamPool], subnet: str, gateway: str) -> dict[str, object]:
    found: dict[str, object] = {"Subnet": subnet}
    wanted = next((pool for pool in pools if (":" in pool.subnet) == (":" in subnet)), None)
    if wanted is not None and wanted.ip_range:
        found["IPRange"] = wanted.ip_range
    if gateway:
        found["Gateway"] = gateway
    if wanted is not None and wanted.aux_addresses:
        found["AuxiliaryAddresses"] = dict(wanted.aux_addresses)
    return found


def _member(network: NetworkState, member: Member) -> dict[str, str]:
    place = member.endpoint
    return {
        "Name": member.name,
        "EndpointID": endpoint_id(network, member.id),
        "MacAddress": place.mac,
        "IPv4Address": f"{place.address}/{place.prefix_length}" if place.address else "",
        "IPv6Address": f"{place.address6}/{place.prefix6_length}" if place.address6 else "",
    }


def endpoint_id(network: NetworkState, container_id: str) -> str:
    """64 digits that name a container's place on *network*."""
    import hashlib

    return hashlib.sha256(f"{network_id(network)} {container_id}".encode()).hexdigest()


def _item(network: NetworkState, *, full_ids: bool) -> Item:
    spec, identity = network.spec, network_id(network)
    return Item(
        {
            "CreatedAt": go_time_nano(network.created_ns),
            "Driver": spec.driver or "bridge",
            "ID": identity if full_ids else identity[:12],
            "IPv4": "true" if network.subnet else "false",
            "IPv6": "true" if network.subnet6 else "false",
            "Internal": "true" if spec.internal else "false",
            "Labels": ",".join(f"{key}={value}" for key, value in sorted(spec.labels)),
            "Name": spec.name,
            "Scope": "local",
        },
        dict(spec.labels),
    )
