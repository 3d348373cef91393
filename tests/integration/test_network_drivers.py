"""Networks that are no bridge, and what driver options do, as seen from inside containers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra, Result

pytestmark = [pytest.mark.root, pytest.mark.network]

SERVICE = """
  {name}:
    image: host
    command: ["sleep", "1000"]
    stop_grace_period: 0s
    networks: {networks}
"""


def write(orchestra: Orchestra, networks: str, **services: str) -> None:
    """A project `lan` of sleeping services, each on the networks that are given as YAML."""
    text = "name: lan\nservices:"
    for name, on in services.items():
        text += SERVICE.format(name=name, networks=on)
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(text + "\nnetworks:\n" + textwrap.indent(textwrap.dedent(networks), "  "))


def inside(orchestra: Orchestra, service: str, *command: str, code: int = 0) -> Result:
    return orchestra("exec", "-T", service, *command, code=code)


def links(orchestra: Orchestra, service: str) -> dict[str, dict[str, object]]:
    shown = json.loads(inside(orchestra, service, "ip", "-j", "-d", "addr").out)
    return {link["ifname"]: link for link in shown if link["ifname"] != "lo"}


def default_route(orchestra: Orchestra, service: str) -> dict[str, str]:
    (route,) = json.loads(inside(orchestra, service, "ip", "-j", "route", "show", "default").out)
    return dict(route)


def ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def lan(orchestra: Orchestra) -> Iterator[Orchestra]:
    """The command, and a wire: `uplink0` here is one end, the router 192.168.77.1 the other."""
    ip("netns", "add", "router")
    try:
        ip("link", "add", "uplink0", "type", "veth", "peer", "name", "wire", "netns", "router")
        ip("link", "set", "uplink0", "up")
        ip("-n", "router", "addr", "add", "192.168.77.1/24", "dev", "wire")
        ip("-n", "router", "link", "set", "wire", "up")
        yield orchestra
    finally:
        orchestra("-p", "lan", "down", "-t", "0", code=None)
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "delete", "uplink0")
        ip("netns", "delete", "router")


MACVLAN = """
    home:
      driver: macvlan
      driver_opts: {parent: uplink0}
      ipam: {config: [{subnet: 192.168.77.0/24, gateway: 192.168.77.1}]}
"""


def test_containers_on_a_macvlan_are_neighbours_of_the_router(lan: Orchestra) -> None:
    write(
        lan, MACVLAN,
        one="{home: {ipv4_address: 192.168.77.50, mac_address: '02:00:00:00:00:50'}}",
        two="[home]",
    )  # fmt: skip
    lan("up", "-d")
    (eth0,) = links(lan, "one").values()
    assert eth0["ifname"] == "eth0"
    assert eth0["address"] == "02:00:00:00:00:50"
    assert eth0["linkinfo"]["info_kind"] == "macvlan"  # type: ignore[index]
    assert default_route(lan, "one")["gateway"] == "192.168.77.1"
    inside(lan, "one", "ping", "-c1", "-W5", "192.168.77.1")
    inside(lan, "one", "ping", "-c1", "-W5", "two")
    inside(lan, "two", "getent", "hosts", "one")
    lan("restart", "one")
    inside(lan, "one", "ping", "-c1", "-W5", "192.168.77.1")
    (record,) = json.loads(lan("network", "inspect", "lan_home").out)
    assert (record["Driver"], record["Options"]) == ("macvlan", {"parent": "uplink0"})
    lan("down")
    assert "uplink0" in ip("link")  # it was there before


def test_an_internal_macvlan_has_no_way_out(lan: Orchestra) -> None:
    write(lan, MACVLAN.replace("driver: macvlan", "driver: macvlan\n      internal: true"),
          one="[home]")  # fmt: skip
    lan("up", "-d")
    assert inside(lan, "one", "ip", "route", "show", "default").out == ""


def test_a_running_container_comes_to_a_macvlan_and_leaves_it(lan: Orchestra) -> None:
    write(lan, MACVLAN + "    near: {}\n", one="[near]", two="[home]")
    lan("up", "-d")
    lan("network", "connect", "--ip", "192.168.77.60", "lan_home", "lan-one-1")
    assert sorted(links(lan, "one")) == ["eth0", "eth1"]
    inside(lan, "one", "ping", "-c1", "-W5", "192.168.77.1")
    lan("network", "disconnect", "lan_home", "lan-one-1")
    assert list(links(lan, "one")) == ["eth0"]


def test_published_ports_of_a_macvlan_are_not_on_the_host(lan: Orchestra) -> None:
    write(lan, MACVLAN, one="[home]\n    ports: ['8077:80']")
    lan("up", "-d")
    assert (
        "8077"
        not in subprocess.run(["ss", "-ltn"], capture_output=True, text=True, check=True).stdout
    )
    assert lan("ps", "--format", "{{.Ports}}").out.strip() in ("", "80/tcp")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("parent: nowhere0", "parent interface nowhere0 was not found on the host"),
        ("parent: uplink0.5000", "parent interface uplink0.5000 was not found"),
        ("parent: lo", "lo cannot be the parent"),
        ("parent: uplink0, macvlan_mode: fast", "requested macvlan_mode 'fast' is not valid"),
    ],
)
def test_what_cannot_be_a_parent_is_told(lan: Orchestra, options: str, told: str) -> None:
    write(lan, MACVLAN.replace("parent: uplink0", options), one="[home]")
    refused = lan("up", "-d", code=1)
    assert told in refused.err, refused
    assert lan("network", "ls", "-q").out == ""


def test_one_parent_has_one_kind_of_network(lan: Orchestra) -> None:
    write(lan, MACVLAN, one="[home]")
    lan("up", "-d")
    flags = ("-o", "parent=uplink0", "--subnet", "10.66.0.0/24", "second")
    refused = lan("network", "create", "-d", "ipvlan", *flags, code=1)
    assert "macvlan network lan_home is already using the parent interface uplink0" in refused.err
    lan("network", "create", "-d", "macvlan", *flags)  # its like may
    lan("network", "rm", "second")


def test_options_of_bridges(orchestra: Orchestra) -> None:
    write(
        orchestra,
        """
        near:
          driver_opts:
            com.docker.network.bridge.name: nearby0
            com.docker.network.driver.mtu: "1400"
            com.docker.network.container_iface_prefix: lan
            com.docker.network.bridge.host_binding_ipv4: 127.0.0.1
        far: {}
        """,
        one="[near, far]\n    ports: ['80', '127.0.0.9:0:81']",
        two="{near: {driver_opts: {com.docker.network.endpoint.ifname: wan7}}, "
            "far: {interface_name: own0}}",
    )  # fmt: skip
    orchestra("up", "-d")
    try:
        assert "mtu 1400" in ip("link", "show", "nearby0")
        found = links(orchestra, "one")
        assert sorted(found) == ["eth0", "lan0"]
        assert (found["lan0"]["mtu"], found["eth0"]["mtu"]) == (1400, 1500)
        assert sorted(links(orchestra, "two")) == ["own0", "wan7"]
        write(orchestra, """
            near:
              driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.1}
        """, one="[near]\n    ports: ['80', '127.0.0.9:8081:81']")  # fmt: skip
        orchestra("up", "-d", "--remove-orphans")
        ports = orchestra("ps", "--format", "{{.Ports}}").out
        assert re.fullmatch(r"127\.0\.0\.1:\d+->80/tcp, 127\.0\.0\.9:8081->81/tcp\n", ports)
    finally:
        orchestra("down", "-t", "0")
    assert "nearby0" not in ip("link")


def test_without_masquerade_the_containers_address_is_seen_outside(lan: Orchestra) -> None:
    ip("addr", "add", "192.168.77.9/24", "dev", "uplink0")
    ip("-n", "router", "route", "add", "10.66.0.0/16", "via", "192.168.77.9")
    for masquerade, seen in (("false", "10.66.0.2"), ("true", "192.168.77.9")):
        write(
            lan,
            f"""
            near:
              driver_opts: {{com.docker.network.bridge.enable_ip_masquerade: "{masquerade}"}}
              ipam: {{config: [{{subnet: 10.66.0.0/24}}]}}
            """,
            one="[near]",
        )
        lan("up", "-d")
        listener = subprocess.Popen(
            ["ip", "netns", "exec", "router", "python3", "-c", _TELL_PEER],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert listener.stdout is not None
        assert listener.stdout.readline() == "ready\n"
        asked = "import socket as s; print(s.create_connection(('192.168.77.1', 99), 5).recv(99))"
        assert inside(lan, "one", "python3", "-c", asked).out.strip() == repr(seen.encode())
        listener.communicate(timeout=10)
        lan("down")


_TELL_PEER = """
import socket
server = socket.create_server(("192.168.77.1", 99))
server.settimeout(20)
print("ready", flush=True)
connection, peer = server.accept()
connection.sendall(peer[0].encode())
"""
