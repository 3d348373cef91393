"""`network create --subnet --gateway --ip-range --aux-address`: flags to address pools. Pure."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.model.network import IpamPool
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.model.container import Pairs


def address_pools(
    subnets: Sequence[str], gateways: Sequence[str], ranges: Sequence[str], auxiliary: Pairs
) -> tuple[IpamPool, ...]:
    """Each subnet with what of the others lies in it. Raises ConfigError for what lies nowhere."""
    if len(subnets) < len(ranges) or len(subnets) < len(gateways):
        raise ConfigError(
            "every ip-range or gateway must have a corresponding subnet", fix="add --subnet"
        )
    pools = [IpamPool(subnet=text) for text in subnets]
    for position, pool in enumerate(pools):
        if any(_inside(pool.subnet, other.subnet) for other in pools[:position]):
            raise ConfigError(
                "multiple overlapping subnet configuration is not supported",
                fix="give subnets that do not overlap",
            )
    for text in ranges:
        position = _place(pools, text, "range")
        if pools[position].ip_range:
            raise ConfigError(
                f"cannot configure multiple ranges ({text}, {pools[position].ip_range}) "
                f"on the same subnet ({pools[position].subnet})"
            )
        pools[position] = msgspec.structs.replace(pools[position], ip_range=text)
    for text in gateways:
        position = _place(pools, text, "gateway")
        if pools[position].gateway:
            raise ConfigError(
                f"cannot configure multiple gateways ({text}, {pools[position].gateway}) "
                f"on the same subnet ({pools[position].subnet})"
            )
        pools[position] = msgspec.structs.replace(pools[position], gateway=text)
    for name, text in auxiliary:
        position = _place(pools, text, "aux-address")
        addresses = (*pools[position].aux_addresses, (name, text))
        pools[position] = msgspec.structs.replace(pools[position], aux_addresses=addresses)
    return tuple(pools)


def _place(pools: Sequence[IpamPool], text: str, kind: str) -> int:
    for position, pool in enumerate(pools):
        if _inside(pool.subnet, text):
            return position
    raise ConfigError(f"no matching subnet for {kind} {text}", fix="correct it, or add --subnet")


def _inside(subnet: str, text: str) -> bool:
    """Do the subnet and an address, or another subnet, overlap?"""
    try:
        network = ip_network(subnet, strict=False)
        other = ip_network(text, strict=False) if "/" in text else ip_network(ip_address(text))
    except ValueError as exc:
        raise ConfigError(str(exc), fix="write 10.5.0.0/24, or 10.5.0.1 for an address") from exc
    return network.version == other.version and network.overlaps(other)
