"""Which subnet a network gets, and which address a container: decisions without I/O.

Defaults are Docker's address pools, and some more. What is taken is passed in; `registry` makes
the decision binding for all projects of the host.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from orchestra.errors import Conflict
from orchestra.named import NamedTuple
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from ipaddress import IPv4Address, IPv6Address

    from orchestra.model.network import IpamPool, NetworkSpec

    Network = IPv4Network | IPv6Network
    Address = IPv4Address | IPv6Address


class Pool(NamedTuple):
    """Subnets of *prefix_length* are cut out of *base*."""

    base: IPv4Network
    prefix_length: int


DOCKER_POOLS = (
    Pool(IPv4Network("172.17.0.0/16"), 16),
    Pool(IPv4Network("172.18.0.0/16"), 16),
    Pool(IPv4Network("172.19.0.0/16"), 16),
    Pool(IPv4Network("172.20.0.0/14"), 16),
    Pool(IPv4Network("172.24.0.0/14"), 16),
    Pool(IPv4Network("172.28.0.0/14"), 16),
    Pool(IPv4Network("192.168.0.0/16"), 20),
)
DEFAULT_POOLS = (*DOCKER_POOLS, Pool(IPv4Network("10.201.0.0/16"), 24))
"""Docker gives up after 31 networks; we go on with 256 smaller ones."""


class Range(NamedTuple):
    """One subnet of a network; addresses are chosen from *choice*, never *reserved* ones."""

    subnet: Network
    gateway: Address
    choice: Network
    reserved: frozenset[int]

    def first_free(self, taken: Container[int]) -> Address:
        """The lowest address that nobody has. Raises Conflict when there is none."""
        low, high = int(self.choice.network_address), int(self.choice.broadcast_address)
        for number in range(low, high + 1):
            if number not in self.reserved and number not in taken:
                return ip_address(number) if self.subnet.version == 4 else _ipv6(number)
        raise Conflict(
            f"no free address in {self.choice}",
            fix="remove containers of this network, or give it a larger subnet",
        )

    def asked_for(self, text: str, taken: Container[int]) -> Address:
        """The address *text*. Raises Conflict when it is outside, reserved or taken."""
        try:
            address = ip_address(text)
        except ValueError:
            address = None
        if address is None or address not in self.subnet:
            raise Conflict(
                f"address {text} is not in the subnet {self.subnet}",
                fix="choose an address inside it, or give the network another ipam subnet",
            )
        if int(address) in taken or address == self.gateway or int(address) in _ends(self.subnet):
            raise Conflict(
                f"address {text} is already in use", fix=f"choose another one in {self.subnet}"
            )
        return address


class Ranges(NamedTuple):
    """What a network has; *ipv6* is None unless it asked for it."""

    ipv4: Range
    ipv6: Range | None


def plan_network(
    spec: NetworkSpec, used: Iterable[Network], pools: Sequence[Pool] = DEFAULT_POOLS
) -> Ranges:
    """The subnets for *spec*, overlapping nothing that is *used*.

    Raises Conflict when a wanted subnet overlaps or the pools are exhausted.
    """
    taken = tuple(used)
    wanted4 = next((pool for pool in spec.pools if pool.subnet and ":" not in pool.subnet), None)
    wanted6 = next((pool for pool in spec.pools if ":" in pool.subnet), None)
    if wanted4 is not None:
        ipv4 = _wanted(spec, wanted4, taken)
    else:
        bare = next((pool for pool in spec.pools if not pool.subnet), None)
        ipv4 = _range(choose_subnet(pools, taken), bare)
    if wanted6 is not None:
        return Ranges(ipv4, _wanted(spec, wanted6, taken))
    return Ranges(ipv4, _range(_unique_local(spec.name, taken), None) if spec.enable_ipv6 else None)


def stored_range(subnet: str, gateway: str, pools: Sequence[IpamPool]) -> Range:
    """The Range of a network that exists already."""
    network = ip_network(subnet)
    pool = next((pool for pool in pools if pool.subnet and _same(pool.subnet, network)), None)
    found = _range(network, pool)
    address = ip_address(gateway)
    return found._replace(gateway=address, reserved=found.reserved | {int(address)})


def choose_subnet(pools: Sequence[Pool], used: Iterable[Network]) -> IPv4Network:
    """The first subnet of *pools* that overlaps nothing in *used*. Raises Conflict."""
    taken = [network for network in used if network.version == 4]
    for pool in pools:
        for candidate in pool.base.subnets(new_prefix=pool.prefix_length):
            if not any(candidate.overlaps(network) for network in taken):
                return candidate
    raise Conflict(
        "every subnet of the address pools is in use",
        fix='remove unused networks, or give the network a subnet with "ipam: config: - subnet:"',
    )


def mac_address(address: Address) -> str:
    """Docker's link-layer address for an IP address: neighbours need not learn a new one."""
    return "02:42:" + ":".join(f"{byte:02x}" for byte in address.packed[-4:])


def _wanted(spec: NetworkSpec, pool: IpamPool, taken: tuple[Network, ...]) -> Range:
    try:
        subnet = ip_network(pool.subnet, strict=False)
        found = _range(subnet, pool)
    except ValueError as exc:
        raise Conflict(
            f"network {spec.name}: {exc}", fix="write the subnet as ADDRESS/LENGTH: 10.5.0.0/24"
        ) from exc
    for other in taken:
        if other.version == subnet.version and subnet.overlaps(other):
            raise Conflict(
                f"network {spec.name}: subnet {subnet} overlaps {other}, which is in use",
                fix="choose another subnet, or leave it out to get a free one",
            )
    return found


def _range(subnet: Network, pool: IpamPool | None) -> Range:
    gateway = ip_address(pool.gateway) if pool and pool.gateway else subnet.network_address + 1
    choice = ip_network(pool.ip_range, strict=False) if pool and pool.ip_range else subnet
    auxiliary = pool.aux_addresses if pool else ()
    reserved = _ends(subnet) | {int(gateway)} | {int(ip_address(text)) for _, text in auxiliary}
    return Range(subnet, gateway, choice, frozenset(reserved))


def _ends(subnet: Network) -> set[int]:
    """The network's and the broadcast address, where the subnet is large enough to have them."""
    if subnet.prefixlen >= subnet.max_prefixlen - 1:
        return set()
    return {int(subnet.network_address), int(subnet.broadcast_address)}


def _unique_local(name: str, taken: tuple[Network, ...]) -> IPv6Network:
    """A /64 of fd00::/8 (RFC 4193) that depends on the name, so that it comes back."""
    used = {network for network in taken if network.version == 6}
    for attempt in range(1000):
        digest = sha256(f"{name}\0{attempt}".encode()).digest()[:7]
        subnet = IPv6Network(((0xFD << 120) | int.from_bytes(digest, "big") << 64, 64))
        if not any(subnet.overlaps(other) for other in used):
            return subnet
    raise Conflict("no free IPv6 subnet", fix="give the network an IPv6 subnet")


def _ipv6(number: int) -> IPv6Address:
    return IPv6Network((number, 128)).network_address


def _same(text: str, network: Network) -> bool:
    try:
        return ip_network(text, strict=False) == network
    except ValueError:
        return False
