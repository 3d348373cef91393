"""Bridge networks as containers, the host and other machines see them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from orchestra.errors import Conflict
from orchestra.model.container import Dns, NetworkMode, PublishedPort
from orchestra.model.network import IpamPool
from orchestra.network.bridge import BridgeDriver
from orchestra.supervisor.loop import Loop
from tests.integration.harness.outer import HOST_ADDRESS, OUTSIDE, OUTSIDE_ADDRESS
from tests.integration.network_host import ECHO, NetworkHost

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root, pytest.mark.network]


@pytest.fixture
def host(roots: dict[str, str]) -> Iterator[NetworkHost]:
    found = NetworkHost(roots["ORCHESTRA_DATA_ROOT"])
    yield found
    found.close()


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_published_port_answers_from_everywhere(host: NetworkHost, kind: str) -> None:
    host.network("front")
    port = PublishedPort(container_port=80, host_port=8080, protocol=kind)
    web = host.start(host.spec("web", "front", ports=(port,)), kind, "0.0.0.0", "80")
    other = host.start(host.spec("other", "front"))
    gateway = web.allocation.endpoints[0].gateway

    assert host.ask("127.0.0.1", 8080, kind=kind) == f"p-web-1 {gateway} hello"
    assert host.ask(HOST_ADDRESS, 8080, kind=kind).startswith("p-web-1")
    assert host.ask("::1", 8080, kind=kind).startswith("p-web-1")
    assert host.ask(HOST_ADDRESS, 8080, kind=kind, outside=True) == (
        f"p-web-1 {OUTSIDE_ADDRESS} hello"
    )
    assert host.ask(HOST_ADDRESS, 8080, kind=kind, inside=other).startswith("p-web-1")
    assert host.ask(HOST_ADDRESS, 8080, kind=kind, inside=web).startswith("p-web-1")


def test_a_port_published_on_loopback_is_not_for_others(host: NetworkHost) -> None:
    host.network("front")
    port = PublishedPort(container_port=80, host_port=8081, host_ip="127.0.0.1")
    host.start(host.spec("web", "front", ports=(port,)), "tcp", "0.0.0.0", "80")
    assert host.ask("127.0.0.1", 8081).startswith("p-web-1")
    assert host.ask(HOST_ADDRESS, 8081, outside=True, timeout_s=0.5) == ""


def test_an_unpublished_port_is_not_reached_from_outside(host: NetworkHost) -> None:
    host.network("front")
    web = host.start(host.spec("web", "front"), "tcp", "0.0.0.0", "80")
    assert host.ask(web.address, 80).startswith("p-web-1")
    assert host.ask(web.address, 80, outside=True, timeout_s=0.5) == ""


def test_a_container_cannot_reach_the_hosts_loopback(host: NetworkHost) -> None:
    """route_localnet is on for the bridge: the firewall must keep 127/8 closed."""
    host.network("front")
    web = host.start(host.spec("web", "front"))
    gateway = web.allocation.endpoints[0].gateway
    with subprocess.Popen([sys.executable, "-c", ECHO, "tcp", "127.0.0.1", "8085", "host"]) as own:
        while not host.ask("127.0.0.1", 8085):
            assert own.poll() is None
        script = (
            "ip route del local 127.0.0.0/8 dev lo table local; ip route flush table local "
            "dev lo; sysctl -qw net.ipv4.conf.all.route_localnet=1; "
            f"ip route add 127.0.0.1/32 via {gateway}"
        )
        host.run("sh", "-c", script, inside=web)
        assert "eth0" in host.run("ip", "route", "get", "127.0.0.1", inside=web).stdout
        assert host.ask("127.0.0.1", 8085, inside=web, timeout_s=0.5) == ""
        own.kill()


def test_containers_go_out_under_the_hosts_address(host: NetworkHost) -> None:
    host.network("front")
    web = host.start(host.spec("web", "front"))
    argv = ["ip", "netns", "exec", OUTSIDE, sys.executable, "-c", ECHO]
    with subprocess.Popen([*argv, "tcp", OUTSIDE_ADDRESS, "7000", "outside"]) as server:
        while not (answer := host.ask(OUTSIDE_ADDRESS, 7000, inside=web)):
            assert server.poll() is None
        assert answer == f"outside {HOST_ADDRESS} hello"
        server.kill()


def test_networks_are_separate_and_internal_ones_have_no_way_out(host: NetworkHost) -> None:
    host.network("front")
    host.network("back", internal=True)
    web = host.start(host.spec("web", "front"), "tcp", "0.0.0.0", "80")
    database = host.start(host.spec("db", "back"), "tcp", "0.0.0.0", "80")
    worker = host.start(host.spec("worker", "back"))
    both = host.start(host.spec("both", "front", "back"))

    assert host.ask(database.address, 80, inside=worker).startswith("p-db-1")
    assert host.ask(database.address, 80, inside=both).startswith("p-db-1")
    assert host.ask(web.address, 80, inside=both).startswith("p-web-1")
    assert host.ask(web.address, 80, inside=database, timeout_s=0.5) == ""
    assert host.ask(database.address, 80, inside=web, timeout_s=0.5) == ""
    assert "default" not in host.run("ip", "route", inside=worker).stdout
    assert "default via 172" in host.run("ip", "route", inside=both).stdout


def test_without_icc_containers_of_a_network_are_separate(host: NetworkHost) -> None:
    host.network("front", driver_opts=(("com.docker.network.bridge.enable_icc", "false"),))
    web = host.start(host.spec("web", "front"), "tcp", "0.0.0.0", "80")
    other = host.start(host.spec("other", "front"))
    assert host.ask(web.address, 80).startswith("p-web-1")
    assert host.ask(web.address, 80, inside=other, timeout_s=0.5) == ""


def test_ipv6_addresses_and_the_way_between_them(host: NetworkHost) -> None:
    pools = (IpamPool(subnet="10.77.0.0/24"), IpamPool(subnet="fd77::/64"))
    state = host.network("front", enable_ipv6=True, pools=pools)
    web = host.start(host.spec("web", "front"))
    other = host.start(host.spec("other", "front"))
    assert (state.subnet6, state.gateway6) == ("fd77::/64", "fd77::1")
    assert web.allocation.endpoints[0].address6 == "fd77::2"
    ping = host.run("ping", "-6", "-c1", "-W2", "fd77::2", inside=other)
    assert ping.returncode == 0, ping.stdout
    assert "default via fd77::1" in host.run("ip", "-6", "route", inside=other).stdout


def test_names_are_answered_although_a_container_has_port_53(host: NetworkHost) -> None:
    host.network("front")
    one = host.start(host.spec("dns", "front", number=1), "udp", "0.0.0.0", "53")
    two = host.start(host.spec("dns", "front", number=2), "tcp", "0.0.0.0", "53")
    both = f"0 {one.address} {two.address}"
    assert host.lookup("dns", one) == both
    assert host.lookup("DNS.front", two, by="tcp") == both
    assert host.lookup("p-dns-2", one) == f"0 {two.address}"
    assert host.lookup("dns", one, kind=28) == "0"
    assert host.ask(one.address, 53, kind="udp", inside=two).startswith("p-dns-1")
    host.stop(two)
    assert host.lookup("dns", one) == f"0 {one.address}"


def test_all_goes_on_without_the_supervisor_and_a_new_one_adopts(host: NetworkHost) -> None:
    host.network("front")
    port = PublishedPort(container_port=80, host_port=8080)
    web = host.start(host.spec("web", "front", ports=(port,)), "tcp", "0.0.0.0", "80")

    host.driver.close()  # what the kernel does when the supervisor is killed
    assert host.ask("127.0.0.1", 8080).startswith("p-web-1")
    assert host.ask(HOST_ADDRESS, 8080, outside=True).startswith("p-web-1")

    host.loop.close()
    host.loop = Loop()
    host.driver = BridgeDriver(host.layout, host.loop)
    host.driver.connected(web.spec, web.allocation, web.pid, ())
    assert host.ask("127.0.0.1", 8080).startswith("p-web-1")
    assert host.ask("::1", 8080).startswith("p-web-1")
    assert host.lookup("web", web) == f"0 {web.address}"


def test_a_port_in_use_names_who_has_it(host: NetworkHost) -> None:
    host.network("front")
    with socket.create_server(("127.0.0.1", 8090)):
        taken = PublishedPort(container_port=80, host_port=8090)
        with pytest.raises(Conflict, match=r"8090/tcp is already in use by python.* \(pid \d+\)"):
            host.driver.allocate(host.spec("web", "front", ports=(taken,)))
    port = PublishedPort(container_port=80, host_port=8091)
    web = host.start(host.spec("web", "front", ports=(port,)), "tcp", "0.0.0.0", "80")
    with pytest.raises(Conflict, match="by container p-web-1 of service web"):
        host.driver.allocate(host.spec("api", "front", ports=(port,)))
    with pytest.raises(OSError, match="in use"):
        socket.create_server(("0.0.0.0", 8091))
    host.remove(web)
    socket.create_server(("0.0.0.0", 8091)).close()


def test_a_range_and_port_0_find_free_ports(host: NetworkHost) -> None:
    host.network("front")
    span = PublishedPort(container_port=80, host_port=8100, host_port_end=8101)
    numbers = []
    for number in (1, 2):
        found = host.start(host.spec("web", "front", number=number, ports=(span,)))
        numbers.append(found.allocation.ports[0].host_port)
    assert numbers == [8100, 8101]
    with pytest.raises(Conflict, match="every port of 8100-8101 is in use"):
        host.driver.allocate(host.spec("web", "front", number=3, ports=(span,)))
    free = host.start(host.spec("any", "front", ports=(PublishedPort(container_port=80),)))
    assert free.allocation.ports[0].host_port > 1023


def test_a_stopped_container_keeps_no_port_from_others(host: NetworkHost) -> None:
    host.network("front")
    port = PublishedPort(container_port=80, host_port=8110)
    one = host.start(host.spec("one", "front", ports=(port,)), "tcp", "0.0.0.0", "80")
    host.stop(one)
    two = host.start(host.spec("two", "front", ports=(port,)), "tcp", "0.0.0.0", "80")
    assert host.ask("127.0.0.1", 8110).startswith("p-two-1")
    with pytest.raises(Conflict, match="by container p-two-1"):
        host.driver.setup(one.spec, one.allocation)
    host.driver.release(one.spec.id)
    assert host.ask("127.0.0.1", 8110).startswith("p-two-1")
    assert two.spec.id in host.running


def test_a_firewall_that_drops_by_default_lets_containers_through(host: NetworkHost) -> None:
    setup = (
        "nft add table ip filter && nft add chain ip filter FORWARD"
        " '{ type filter hook forward priority 0; policy drop; }' && nft add chain ip filter"
    )
    for chain in ("DOCKER-USER", "OTHER"):
        host.run("sh", "-c", f"{setup} {chain}")
        host.run("sh", "-c", f"nft add rule ip filter FORWARD jump {chain}")
        before = host.run("nft", "list", "table", "ip", "filter").stdout
        port = PublishedPort(container_port=80, host_port=8130)
        host.network("front")
        web = host.start(host.spec("web", "front", ports=(port,)), "tcp", "0.0.0.0", "80")
        assert host.ask(HOST_ADDRESS, 8130, outside=True).startswith("p-web-1")
        host.remove(web)
        host.driver.remove_network("front")
        assert host.run("nft", "list", "table", "ip", "filter").stdout == before
        host.run("nft", "delete", "table", "ip", "filter")


def test_a_udp_client_follows_a_port_to_its_next_container(host: NetworkHost) -> None:
    """The kernel would keep sending a known flow to the container it began with."""
    host.network("front")
    port = PublishedPort(container_port=53, host_port=8140, protocol="udp")
    one = host.start(host.spec("one", "front", ports=(port,)), "udp", "0.0.0.0", "53")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(3)
        client.connect(("127.0.0.1", 8140))
        client.send(b"first")
        assert client.recv(100).startswith(b"p-one-1")
        host.remove(one)
        host.start(host.spec("blocker", "front"))
        host.start(host.spec("two", "front", ports=(port,)), "udp", "0.0.0.0", "53")
        client.send(b"second")
        assert client.recv(100).startswith(b"p-two-1")


def test_other_names_are_forwarded_to_the_services_own_servers(host: NetworkHost) -> None:
    upstream = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[1], 53))\n"
        "while True:\n"
        "    q, peer = s.recvfrom(600)\n"
        "    r = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4\\x09\\x08\\x07\\x06'\n"
        "    s.sendto(q[:2] + b'\\x81\\x80\\0\\1\\0\\1' + q[8:] + r, peer)\n"
    )
    host.network("front")
    host.network("back", internal=True)
    dns = Dns(servers=("192.0.2.77", OUTSIDE_ADDRESS))
    web = host.start(structs.replace(host.spec("web", "front"), dns=dns))
    shut = host.start(structs.replace(host.spec("shut", "back"), dns=dns))
    argv = ["ip", "netns", "exec", OUTSIDE, sys.executable, "-c", upstream, OUTSIDE_ADDRESS]
    with subprocess.Popen(argv) as server:
        assert host.lookup("example.org", web) == "0 9.8.7.6"
        assert host.lookup("example.org", shut) == "2"
        server.kill()


def test_a_network_in_use_is_not_removed(host: NetworkHost) -> None:
    host.network("front")
    host.start(host.spec("web", "front"))
    with pytest.raises(Conflict, match="active endpoints: p-web-1"):
        host.driver.remove_network("front")


def test_a_lost_bridge_comes_back_with_the_next_container(host: NetworkHost) -> None:
    """After a reboot the registry knows networks that the kernel does not."""
    state = host.network("front")
    host.run("ip", "link", "delete", state.bridge)
    host.run("nft", "delete", "table", "ip", "orchestra")
    web = host.start(host.spec("web", "front"), "tcp", "0.0.0.0", "80")
    assert host.ask(web.address, 80).startswith("p-web-1")
    assert state.bridge in host.run("nft", "list", "table", "ip", "orchestra").stdout


def test_what_a_killed_supervisor_reserved_is_free_again(host: NetworkHost) -> None:
    """It died between the allocation and the container's spec.json: nobody will ever release it."""
    host.network("front")
    port = PublishedPort(container_port=80, host_port=8150)
    pid = os.fork()
    if pid == 0:
        BridgeDriver(host.layout, Loop()).allocate(host.spec("lost", "front", ports=(port,)))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    web = host.start(host.spec("web", "front", ports=(port,)), "tcp", "0.0.0.0", "80")
    assert host.ask("127.0.0.1", 8150).startswith("p-web-1")
    assert web.allocation.ports[0].host_port == 8150


def test_files_of_a_container_that_shares_anothers_network(host: NetworkHost) -> None:
    host.network("front")
    web = host.start(host.spec("web", "front"))
    other = structs.replace(
        host.spec("side"), network_mode=NetworkMode.CONTAINER, network_container=web.spec.id
    )
    allocation = host.driver.allocate(other)
    assert host.driver.setup(other, allocation) is None
    assert "nameserver 127.0.0.11" in host.driver.resolv_conf(other)
    assert f"{web.address}\t" in host.driver.hosts(other, allocation)


def test_host_gateway_is_the_bridges_address(host: NetworkHost) -> None:
    state = host.network("front")
    spec = structs.replace(
        host.spec("web", "front"), extra_hosts=(("host.docker.internal", "host-gateway"),)
    )
    web = host.start(spec)
    hosts = host.driver.hosts(spec, web.allocation)
    assert f"{state.gateway}\thost.docker.internal\n" in hosts
    assert f"{web.address}\t{spec.id[:12]}\n" in hosts


def test_flushed_rules_come_back_with_the_next_container(host: NetworkHost) -> None:
    host.network("front")
    port = PublishedPort(container_port=80, host_port=8160)
    host.start(host.spec("web", "front", ports=(port,)), "tcp", "0.0.0.0", "80")
    host.run("nft", "flush", "ruleset")
    assert host.ask(HOST_ADDRESS, 8160, outside=True).startswith("p-web-1")  # in user space
    host.start(host.spec("other", "front"))
    rules = host.run("nft", "list", "table", "ip", "orchestra").stdout
    assert "tcp . 8160" in rules
    assert f"p-web-1 {OUTSIDE_ADDRESS}" in host.ask(HOST_ADDRESS, 8160, outside=True)


def test_a_link_that_is_not_ours_is_not_taken_for_a_bridge(host: NetworkHost) -> None:
    host.run("ip", "link", "add", "mine0", "type", "bridge")
    options = (("com.docker.network.bridge.name", "mine0"),)
    with pytest.raises(Conflict, match="a link mine0 exists already"):
        host.network("front", driver_opts=options)
    host.run("ip", "link", "delete", "mine0")
    assert host.network("front", driver_opts=options).bridge == "mine0"


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_container_with_ipv6_is_reached_by_it_in_the_kernel(host: NetworkHost, kind: str) -> None:
    host.run("ip", "address", "add", "fd99::1/64", "dev", "host0", "nodad")
    host.run("ip", "-n", OUTSIDE, "address", "add", "fd99::2/64", "dev", "eth0", "nodad")
    host.network("front", enable_ipv6=True)
    port = PublishedPort(container_port=80, host_port=8170, protocol=kind)
    host.start(host.spec("web", "front", ports=(port,)), kind, "::", "80")
    assert host.ask("fd99::1", 8170, kind=kind, outside=True) == "p-web-1 fd99::2 hello"
    assert host.ask("fd99::1", 8170, kind=kind).startswith("p-web-1 f")
    assert host.ask("::1", 8170, kind=kind).startswith("p-web-1 ::ffff:")
    host.run("ip", "address", "delete", "fd99::1/64", "dev", "host0")
    host.run("ip", "-n", OUTSIDE, "address", "delete", "fd99::2/64", "dev", "eth0")
