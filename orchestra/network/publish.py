"""Host ports: reserved by a bound socket as long as a container has them.

The socket makes other programs see that the port is taken, and serves what the kernel's rules do
not catch (see `forward`). Which project may have a port is agreed in the registry before.
"""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestra.errors import Conflict, PermissionDenied, Unsupported
from orchestra.named import NamedTuple
from orchestra.network.portholder import port_holder

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import PublishedPort

IPV4_ANY = "0.0.0.0"  # noqa: S104 (what "published" means, unless the user gives an address)
IPV6_ANY = "::"

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)
_EPHEMERAL_ATTEMPTS = 16


class HostPort(NamedTuple):
    protocol: str
    address: str
    port: int

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}/{self.protocol}"


class Backend(NamedTuple):
    """Where a published port leads: a container's addresses ("" for none) and its port."""

    address: str
    address6: str
    port: int


class Taken(Conflict):
    """A host port is in use, by another program or container."""


class HostPorts:
    """The sockets that this supervisor holds, each for one or (while recreating) two containers."""

    def __init__(self) -> None:
        self._sockets: dict[HostPort, socket.socket] = {}
        self._holders: dict[HostPort, set[str]] = {}
        self._released: set[HostPort] = set()

    def choose(
        self, wanted: PublishedPort, container: str, check: Callable[[HostPort], None]
    ) -> tuple[HostPort, ...]:
        """Reserve a port for *wanted* on its address, or on every IPv4 and IPv6 address.

        *check* raises Taken when another container has it. Raises Taken when no port is free.
        """
        if wanted.protocol not in _KINDS:
            raise Unsupported(
                f"cannot publish {wanted.container_port}/{wanted.protocol}",
                fix="publish tcp or udp ports",
            )
        if wanted.host_port == 0:
            return self._choose_ephemeral(wanted, container, check)
        last: Taken | None = None
        for port in range(wanted.host_port, max(wanted.host_port, wanted.host_port_end) + 1):
            try:
                return self._reserve_all(wanted, port, container, check)
            except Taken as exc:
                last = exc
        if last is None or wanted.host_port_end <= wanted.host_port:
            raise last or Taken("no port")
        span = f"{wanted.host_port}-{wanted.host_port_end}"
        raise Taken(f"every port of {span} is in use", fix="publish a larger range") from last

    def reserve(self, port: HostPort, container: str) -> HostPort:
        """Hold *port* for *container*; port 0 lets the kernel choose. Raises Taken."""
        if port not in self._sockets:
            channel = _bind(port, released=port in self._released)
            port = port._replace(port=channel.getsockname()[1])
            self._sockets[port] = channel
        self._holders.setdefault(port, set()).add(container)
        return port

    def socket(self, port: HostPort) -> socket.socket | None:
        return self._sockets.get(port)

    def let_go(self, port: HostPort, container: str) -> bool:
        """Give *port* back; true when nobody else holds it, and its socket is closed."""
        holders = self._holders.get(port, set())
        holders.discard(container)
        if holders:
            return False
        self._holders.pop(port, None)
        channel = self._sockets.pop(port, None)
        if channel is not None:
            _release(channel)
            self._released.add(port)
        return True

    def close(self) -> None:
        for channel in self._sockets.values():
            channel.close()
        self._sockets.clear()
        self._holders.clear()

    def held_by(self, container: str) -> tuple[HostPort, ...]:
        return tuple(port for port, holders in self._holders.items() if container in holders)

    def _choose_ephemeral(
        self, wanted: PublishedPort, container: str, check: Callable[[HostPort], None]
    ) -> tuple[HostPort, ...]:
        for _ in range(_EPHEMERAL_ATTEMPTS):
            address = wanted.host_ip or IPV4_ANY
            first = self.reserve(HostPort(wanted.protocol, address, 0), container)
            try:
                return self._reserve_all(wanted, first.port, container, check)
            except Taken:
                self.let_go(first, container)
        raise Taken("the kernel finds no free port", fix="publish a port of your choice")

    def _reserve_all(
        self,
        wanted: PublishedPort,
        port: int,
        container: str,
        check: Callable[[HostPort], None],
    ) -> tuple[HostPort, ...]:
        addresses = (wanted.host_ip,) if wanted.host_ip else (IPV4_ANY, IPV6_ANY)
        reserved: list[HostPort] = []
        try:
            for address in addresses:
                host_port = HostPort(wanted.protocol, address, port)
                check(host_port)
                try:
                    reserved.append(self.reserve(host_port, container))
                except Unsupported:
                    if wanted.host_ip or address != IPV6_ANY:
                        raise
        except BaseException:
            for host_port in reserved:
                self.let_go(host_port, container)
            raise
        return tuple(reserved)


def _release(channel: socket.socket) -> None:
    """Close *channel* so that its port is free, even if a child that is being forked has it too."""
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with suppress(OSError):  # not listening
        channel.shutdown(socket.SHUT_RDWR)
    channel.close()


def _bind(port: HostPort, *, released: bool) -> socket.socket:
    """A socket bound to *port*; *released* tells that we had one there, see `_release`."""
    family = socket.AF_INET6 if ":" in port.address else socket.AF_INET
    try:
        channel = socket.socket(family, _KINDS[port.protocol] | socket.SOCK_NONBLOCK)
    except OSError as exc:
        raise Unsupported(f"no {port.address} on this host") from exc
    try:
        if family == socket.AF_INET6:
            channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            channel.bind((port.address, port.port))
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE or not (released or port.protocol == "tcp"):
                raise
            # connections of an earlier server in TIME_WAIT are no reason to refuse
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            channel.bind((port.address, port.port))
            if port.protocol == "tcp":
                channel.listen(64)  # fails when somebody else listens
    except OSError as exc:
        channel.close()
        raise _refused(port, exc) from exc
    return channel


def _refused(port: HostPort, exc: OSError) -> Conflict | Unsupported | PermissionDenied:
    if exc.errno == errno.EADDRINUSE:
        holder = port_holder(port.protocol, port.port)
        who = f" by {holder}" if holder else ""
        return Taken(
            f"port {port} is already in use{who}",
            fix="stop that program, or publish another host port",
        )
    if exc.errno in _NO_IPV6:
        return Unsupported(
            f"cannot publish on {port.address}: it is no address of this host",
            fix="use one of the host's addresses, or none to publish on all",
        )
    if exc.errno in (errno.EACCES, errno.EPERM):
        return PermissionDenied(
            f"not allowed to use port {port}", fix="publish a port above 1023, or run as root"
        )
    return Conflict(f"cannot use port {port}: {exc.strerror}", fix="publish another host port")
