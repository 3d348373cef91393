"""What a container's names mean: answers from the table of running containers, without I/O.

As with Docker, names are scoped by network: a container sees the names of its own networks only.
Every replica of a service answers to the service's name; `name.network` asks in one network.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.model.container import ContainerSpec, Endpoint
    from orchestra.network.registry import NamedEndpoint

TTL_S = 10
"""Docker says 600; but a recreated container gets a new address, and some clients do cache."""

_PTR4 = ".in-addr.arpa"
_PTR6 = ".ip6.arpa"


class Addresses(NamedTuple):
    """What a name stands for; either may be empty."""

    ipv4: tuple[bytes, ...]
    ipv6: tuple[bytes, ...]


class NameTable:
    """The names of all running containers, by network."""

    def __init__(self, endpoints: Iterable[NamedEndpoint]) -> None:
        self._addresses: dict[tuple[str, str], Addresses] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._turn = 0
        for endpoint in endpoints:
            self._add(endpoint)

    def lookup(self, name: str, networks: Sequence[str]) -> Addresses | None:
        """What *name* means to a member of *networks*; None when nobody has it.

        Several addresses come rotated, another one first each time.
        """
        for network in networks:
            found = self._addresses.get((network, name))
            if found is not None:
                return self._rotated(found)
        for network in networks:
            suffix = "." + network.lower()
            if name.endswith(suffix):
                found = self._addresses.get((network, name.removesuffix(suffix)))
                if found is not None:
                    return self._rotated(found)
        return None

    def reverse(self, name: str, networks: Sequence[str]) -> str | None:
        """The name of the container that has the address in the PTR question *name*."""
        address = _pointer_address(name)
        if address is None:
            return None
        return next(
            (found for network in networks if (found := self._names.get((network, address)))), None
        )

    def _add(self, endpoint: NamedEndpoint) -> None:
        network = endpoint.network
        ipv4 = (ip_address(endpoint.address).packed,) if endpoint.address else ()
        ipv6 = (ip_address(endpoint.address6).packed,) if endpoint.address6 else ()
        for name in {endpoint.container_name.lower(), *endpoint.names}:
            before = self._addresses.get((network, name), Addresses((), ()))
            after = Addresses(before.ipv4 + ipv4, before.ipv6 + ipv6)
            self._addresses[network, name] = after
        for text in (endpoint.address, endpoint.address6):
            self._names[network, text] = f"{endpoint.container_name}.{network}"

    def _rotated(self, found: Addresses) -> Addresses:
        self._turn += 1
        return Addresses(*(_rotate(addresses, self._turn) for addresses in found))


def container_names(spec: ContainerSpec, endpoint: Endpoint) -> tuple[str, ...]:
    """What a container is called on a network, besides its own name.

    A one-off container (`run`) does not answer to its service's name.
    """
    names = {alias.lower() for alias in endpoint.aliases}
    names.add(spec.id[:12])
    if spec.service and not spec.oneoff:
        names.add(spec.service.lower())
    if spec.hostname:
        names.add(spec.hostname.lower())
    return tuple(sorted(names))


def _rotate(addresses: tuple[bytes, ...], turn: int) -> tuple[bytes, ...]:
    if len(addresses) < 2:
        return addresses
    start = turn % len(addresses)
    return addresses[start:] + addresses[:start]


def _pointer_address(name: str) -> str | None:
    try:
        if name.endswith(_PTR4):
            return str(ip_address(".".join(reversed(name.removesuffix(_PTR4).split(".")))))
        if name.endswith(_PTR6):
            digits = "".join(reversed(name.removesuffix(_PTR6).split(".")))
            return str(ip_address(bytes.fromhex(digits)))
    except ValueError:
        return None
    return None
