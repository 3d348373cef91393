from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import Unsupported
from orchestra.model.container import PublishedPort
from orchestra.network.publish import HostPort, HostPorts, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ports() -> Iterator[HostPorts]:
    found = HostPorts()
    yield found
    found.close()


def wanted(
    port: int = 0, end: int = 0, *, protocol: str = "tcp", ip: str = "127.0.0.1"
) -> PublishedPort:
    return PublishedPort(
        container_port=80, host_port=port, host_port_end=end, protocol=protocol, host_ip=ip
    )


def nobody_has(_port: HostPort) -> None:
    """No other container has any port."""


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_reserved_port_cannot_be_bound_by_others(ports: HostPorts, protocol: str) -> None:
    (port,) = ports.choose(wanted(protocol=protocol), "a", nobody_has)
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as other, pytest.raises(OSError, match="in use"):
        other.bind((port.address, port.port))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_port_is_free_again_although_a_child_inherited_its_socket(
    ports: HostPorts, protocol: str
) -> None:
    (port,) = ports.choose(wanted(protocol=protocol), "a", nobody_has)
    channel = ports.socket(port)
    assert channel is not None
    if protocol == "tcp":
        channel.listen(1)
    inherited = os.dup(channel.fileno())
    assert ports.let_go(port, "a")
    again = ports.choose(wanted(port.port, protocol=protocol), "b", nobody_has)
    os.close(inherited)
    assert again == (port,)


def test_two_containers_may_hold_a_port_while_one_replaces_the_other(ports: HostPorts) -> None:
    (port,) = ports.choose(wanted(), "old", nobody_has)
    assert ports.choose(wanted(port.port), "new", nobody_has) == (port,)
    assert not ports.let_go(port, "old")
    assert ports.socket(port) is not None
    assert ports.let_go(port, "new")


def test_a_range_gives_the_first_free_port(ports: HostPorts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        first = other.getsockname()[1]
        (port,) = ports.choose(wanted(first, min(first + 9, 65535)), "a", nobody_has)
        assert first < port.port <= first + 9
        with pytest.raises(Taken, match=f"port 127.0.0.1:{first}/tcp is already in use by "):
            ports.choose(wanted(first), "a", nobody_has)


def test_a_port_of_another_container_is_refused_and_nothing_is_kept(ports: HostPorts) -> None:
    def refuse(port: HostPort) -> None:
        raise Taken(f"{port} is taken")

    with pytest.raises(Taken):
        ports.choose(wanted(), "a", refuse)
    assert ports.held_by("a") == ()


def test_what_cannot_be_published_says_so(ports: HostPorts) -> None:
    with pytest.raises(Unsupported, match="80/sctp"):
        ports.choose(wanted(protocol="sctp"), "a", nobody_has)
    with pytest.raises(Unsupported, match=r"192\.0\.2\.99: it is no address of this host"):
        ports.choose(wanted(ip="192.0.2.99"), "a", nobody_has)
