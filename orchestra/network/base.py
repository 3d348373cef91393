"""NetworkDriver: a project's networks, addresses, names and published ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import ContainerSpec
    from orchestra.model.network import NetworkSpec, NetworkState
    from orchestra.model.state import EndpointState, PortState
    from orchestra.runtime.base import NetworkSetup


class Timer(Protocol):
    def cancel(self) -> None: ...


class EventLoop(Protocol):
    """The supervisor's loop, as far as a network service (DNS, forwarder) needs it."""

    def add_reader(self, fd: int, callback: Callable[[], None]) -> None: ...

    def remove_reader(self, fd: int) -> None: ...

    def add_writer(self, fd: int, callback: Callable[[], None]) -> None: ...

    def remove_writer(self, fd: int) -> None: ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer: ...


class Allocation(NamedTuple):
    """What a container has on the network, from its creation to its removal."""

    endpoints: tuple[EndpointState, ...]
    ports: tuple[PortState, ...]


class NetworkDriver(Protocol):
    """One object per engine. Every removal accepts "gone"; every creation "there already"."""

    def create_network(self, spec: NetworkSpec) -> NetworkState:
        """Register *spec*, choose its subnet, make bridge and firewall rules.

        Raises Conflict when a wanted subnet overlaps, NotFound when an external network is missing.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """What every network of this host lacks: one sentence each. Known once one was made."""
        ...

    def remove_network(self, name: str) -> None: ...

    def networks(self, project: str) -> tuple[NetworkState, ...]: ...

    def allocate(self, spec: ContainerSpec) -> Allocation:
        """Reserve addresses and host ports for *spec*. Raises Conflict when a port is in use."""
        ...

    def release(self, container_id: str) -> None:
        """Give addresses and host ports back."""
        ...

    def setup(self, spec: ContainerSpec, allocation: Allocation) -> NetworkSetup | None:
        """What the launch runs in the child; None without a namespace of its own."""
        ...

    def connected(
        self, spec: ContainerSpec, allocation: Allocation, pid: int, fds: tuple[int, ...]
    ) -> None:
        """The container runs: publish its ports, answer its DNS questions, make its names known.

        *fds* come from NetworkSetup.configure; empty for a container that was adopted from a dead
        supervisor: then the sockets are opened anew in the namespace of *pid*.
        """
        ...

    def attach(
        self, spec: ContainerSpec, allocation: Allocation, network: str, pid: int
    ) -> Allocation:
        """Bring a container to one more network, live when *pid* is not 0: what it has now.

        *spec* has the new endpoint already, *allocation* not yet. Raises Conflict (address taken),
        NotFound (no such network).
        """
        ...

    def detach(
        self, spec: ContainerSpec, allocation: Allocation, network: str, pid: int
    ) -> Allocation:
        """Take it away again: *spec* has the endpoint no more, *allocation* still; gone is fine."""
        ...

    def disconnected(self, container_id: str) -> None:
        """The container has exited: unpublish, forget its names, close its sockets."""
        ...

    def resolv_conf(self, spec: ContainerSpec) -> str:
        """Content of the container's /etc/resolv.conf."""
        ...

    def hosts(self, spec: ContainerSpec, allocation: Allocation) -> str:
        """Content of the container's /etc/hosts, as Docker writes it, with extra_hosts."""
        ...
