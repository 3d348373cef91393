"""What a compose file says about networks and ports, word by word, seen from inside and outside."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra, Result

pytestmark = [pytest.mark.root, pytest.mark.network]

HEADER = """
name: words
x-asleep: &asleep
  image: host
  command: ["sleep", "1000"]
  stop_grace_period: 0s
x-echo: &echo
  image: host
  command: ["python3", "-c", "import socket,threading\\nu=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\\nu.bind(('0.0.0.0',80))\\nt=socket.create_server(('0.0.0.0',80))\\ndef udp():\\n while True:\\n  d,p=u.recvfrom(99)\\n  u.sendto(p[0].encode(),p)\\nthreading.Thread(target=udp).start()\\nwhile True:\\n c,p=t.accept()\\n c.sendall(p[0].encode())\\n c.close()"]
  stop_grace_period: 0s
  healthcheck:
    test: ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/80"]
    interval: 1s
    start_interval: 100ms
    start_period: 10s
"""  # noqa: E501 (a program in one line of YAML)
"""`echo` answers on port 80 of TCP and UDP with the address that it was asked from."""


def write(orchestra: Orchestra, text: str) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(HEADER + textwrap.dedent(text))


def inside(orchestra: Orchestra, service: str, *command: str, code: int = 0) -> Result:
    return orchestra("exec", "-T", service, *command, code=code)


def ask(address: str, port: int, kind: str = "tcp") -> str:
    if kind == "tcp":
        with socket.create_connection((address, port), timeout=5) as channel:
            return channel.recv(99).decode()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.settimeout(5)
        channel.connect((address, port))
        channel.send(b"?")
        return channel.recv(99).decode()


def addresses(orchestra: Orchestra, service: str) -> dict[str, list[str]]:
    shown = json.loads(inside(orchestra, service, "ip", "-j", "addr").out)
    return {link["ifname"]: [each["local"] for each in link["addr_info"]] for link in shown}


def test_places_on_networks(orchestra: Orchestra) -> None:
    write(
        orchestra,
        """
        services:
          web:
            <<: *asleep
            hostname: www
            networks:
              front:
                aliases: [shop, "store.example"]
                ipv4_address: 10.61.0.10
                ipv6_address: fd00:61::10
                mac_address: "02:00:00:00:61:10"
                link_local_ips: [169.254.61.10]
              back: {gw_priority: 1}
          db: {<<: *asleep, networks: [back], links: ["web:frontend"]}
          lone: {<<: *asleep, networks: [front]}
        networks:
          front:
            enable_ipv6: true
            ipam:
              config:
                - {subnet: 10.61.0.0/24, ip_range: 10.61.0.128/25, gateway: 10.61.0.254}
                - {subnet: "fd00:61::/64"}
          back: {}
        """,
    )
    orchestra("up", "-d")
    mine = addresses(orchestra, "web")
    assert "10.61.0.10" in mine["eth1"]  # after back, by name
    assert "fd00:61::10" in mine["eth1"]
    assert "169.254.61.10" in mine["eth1"]
    assert "02:00:00:00:61:10" in inside(orchestra, "web", "ip", "link", "show", "eth1").out
    assert "dev eth0" in inside(orchestra, "web", "ip", "route", "show", "default").out
    (range_address, *_) = addresses(orchestra, "lone")["eth0"]
    assert int(range_address.rpartition(".")[2]) >= 128
    route = inside(orchestra, "lone", "ip", "route", "show", "default").out
    assert "via 10.61.0.254" in route
    for name in ("web", "shop", "store.example", "www", "words-web-1", "web.words_front"):
        assert inside(orchestra, "lone", "getent", "ahostsv4", name).out.startswith("10.61.0.10 ")
    assert "fd00:61::10" in inside(orchestra, "lone", "getent", "ahostsv6", "shop").out
    reverse = inside(orchestra, "lone", "getent", "hosts", "10.61.0.10").out
    assert "words-web-1.words_front" in reverse
    # each network has its own view: db is not on front, and knows web by a link
    inside(orchestra, "db", "getent", "hosts", "shop", code=2)
    inside(orchestra, "lone", "getent", "hosts", "db", code=2)
    assert inside(orchestra, "db", "getent", "hosts", "frontend").out
    inside(orchestra, "lone", "ping", "-6", "-c1", "-W5", "shop")


def test_replicas_take_turns_and_names_have_search_domains(orchestra: Orchestra) -> None:
    write(
        orchestra,
        """
        services:
          many: {<<: *asleep, scale: 3}
          one:
            <<: *asleep
            dns_search: [example.test]
            dns_opt: ["timeout:1"]
            extra_hosts: ["mapped=10.1.2.3", "gate=host-gateway"]
            depends_on: [many]
        """,
    )
    orchestra("up", "-d")
    firsts = set()
    for _ in range(6):
        found = inside(orchestra, "one", "getent", "ahostsv4", "many").out
        assert len(set(re.findall(r"^\S+", found, re.MULTILINE))) == 3
        firsts.add(_first_answer(orchestra))
    assert len(firsts) > 1
    resolv = inside(orchestra, "one", "cat", "/etc/resolv.conf").out
    assert "search example.test" in resolv
    assert "timeout:1" in resolv
    assert "nameserver 127.0.0.11" in resolv
    assert inside(orchestra, "one", "getent", "hosts", "mapped").out.startswith("10.1.2.3 ")
    gateway = inside(orchestra, "one", "getent", "hosts", "gate").out.split()[0]
    assert f"via {gateway} " in inside(orchestra, "one", "ip", "route", "show", "default").out


def _first_answer(orchestra: Orchestra) -> str:
    """The first address in the name server's own order, which getent may sort."""
    program = (
        "import socket; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(5);"
        "s.sendto(bytes.fromhex('000101000001000000000000046d616e790000010001'),"
        "('127.0.0.11',53)); r=s.recv(512); print(socket.inet_ntoa(r[34:38]))"
    )
    return inside(orchestra, "one", "python3", "-c", program).out


def test_modes_of_the_network(orchestra: Orchestra) -> None:
    write(
        orchestra,
        """
        services:
          base: {<<: *asleep}
          shares: {<<: *asleep, network_mode: "service:base"}
          joins: {<<: *asleep, network_mode: "container:words-base-1", depends_on: [base]}
          bare: {<<: *asleep, network_mode: none}
          open: {<<: *asleep, network_mode: host}
        """,
    )
    orchestra("up", "-d")

    def namespace(service: str) -> str:
        return inside(orchestra, service, "readlink", "/proc/self/ns/net").out

    assert namespace("base") == namespace("shares") == namespace("joins")
    other = """
        name: others
        services:
          guest: {image: host, command: ["sleep", "99"], network_mode: "container:words-base-1"}
    """
    orchestra("-f", "-", "up", "-d", stdin=textwrap.dedent(other))
    shared = orchestra("-p", "others", "exec", "-T", "guest", "readlink", "/proc/self/ns/net").out
    orchestra("-p", "others", "exec", "-T", "guest", "getent", "hosts", "shares", code=2)
    orchestra("-p", "others", "exec", "-T", "guest", "getent", "hosts", "base")
    orchestra("-p", "others", "down", "-t", "0")
    assert shared == namespace("base")
    assert namespace("open").strip() == os.readlink("/proc/self/ns/net")
    assert list(addresses(orchestra, "bare")) == ["lo"]
    assert "127.0.0.1" in addresses(orchestra, "bare")["lo"]
    assert inside(orchestra, "shares", "getent", "hosts", "base").out


PORTS = """
    services:
      web:
        <<: *echo
        ports:
          - "8601:80"
          - "8601:80/udp"
          - "127.0.0.1:8602:80"
          - "[::1]:8603:80"
          - "8610-8612:80"
          - "80"
          - {target: 80, published: "8604", mode: host, name: here, app_protocol: http}
          - {target: 80, published: "8605", mode: ingress, protocol: udp}
      asks: {<<: *asleep}
"""


def test_published_ports(orchestra: Orchestra) -> None:
    write(orchestra, PORTS)
    orchestra("up", "-d", "--wait")
    for port in (8601, 8602, 8604):
        assert ask("127.0.0.1", port)
    for port in (8601, 8605):
        assert ask("127.0.0.1", port, "udp")
    assert ask("::1", 8603)
    assert ask("::1", 8601, "udp")
    published = json.loads(orchestra("ps", "--format", "json", "web").out)["Publishers"]
    random = {each["PublishedPort"] for each in published} - {8601, 8602, 8603, 8604, 8605}
    assert len(random) == 2
    assert len(random & {8610, 8611, 8612}) == 1
    for port in random:
        assert ask("127.0.0.1", port)
    shown = orchestra("port", "web", "80", "--protocol", "udp").out
    assert re.fullmatch(r"(0\.0\.0\.0|\[::\]):860[15]\n", shown)
    with socket.socket() as taken, pytest.raises(OSError, match="in use"):
        taken.bind(("127.0.0.1", 8601))
    # from another container, by an address of the host, and from the container itself
    subprocess.run(["ip", "addr", "add", "10.60.0.1/32", "dev", "lo"], check=True)
    try:
        for service in ("asks", "web"):
            told = inside(orchestra, service, "bash", "-c", "cat < /dev/tcp/10.60.0.1/8601").out
            assert re.fullmatch(r"[0-9.]+", told)
    finally:
        subprocess.run(["ip", "addr", "del", "10.60.0.1/32", "dev", "lo"], check=True)
    # freed at once
    orchestra("stop", "web")
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("0.0.0.0", 8601))


def test_a_taken_port_is_told_with_its_holder_before_anything_is_made(orchestra: Orchestra) -> None:
    write(orchestra, 'services: {web: {<<: *asleep, ports: ["8620:80"]}}\n')
    with socket.create_server(("127.0.0.1", 8620)):
        refused = orchestra("up", "-d", code=1)
    assert "8620" in refused.err
    assert "python" in refused.err or "pytest" in refused.err
    assert orchestra("ps", "-aq").out == ""
    orchestra("up", "-d")
    other = 'name: others\nservices: {api: {image: host, command: ["true"], ports: ["8620:80"]}}\n'
    refused = orchestra("-f", "-", "up", "-d", stdin=other, code=1)
    assert "words-web-1" in refused.err
    assert orchestra("-p", "others", "ps", "-aq").out == ""
    orchestra("-p", "others", "down")


def test_external_links_are_names_of_other_projects_containers(orchestra: Orchestra) -> None:
    orchestra("network", "create", "meet")
    text = """
        name: {project}
        services:
          {service}:
            image: host
            command: ["sleep", "1000"]
            stop_grace_period: 0s
            networks: [meet]
            {more}
        networks: {{meet: {{external: true}}}}
    """
    other = text.format(project="others", service="db", more="")
    orchestra("-f", "-", "up", "-d", stdin=textwrap.dedent(other))
    mine = text.format(
        project="words", service="web", more="external_links: ['others-db-1:store', others-db-1]"
    )
    told = orchestra("-f", "-", "up", "-d", stdin=textwrap.dedent(mine))
    assert "external_links" not in told.err
    program = ("exec", "-T", "web", "getent", "hosts")
    found = orchestra("-p", "words", *program, "store").out.split()[0]
    assert found == orchestra("-p", "words", *program, "others-db-1").out.split()[0]
    for project in ("words", "others"):
        orchestra("-p", project, "down", "-t", "0")
    orchestra("network", "rm", "meet")


def test_two_projects_do_not_reach_each_other(orchestra: Orchestra) -> None:
    write(orchestra, "services: {web: {<<: *echo}}\n")
    orchestra("up", "-d", "--wait")
    (address, *_) = addresses(orchestra, "web")["eth0"]
    other = 'name: others\nservices: {api: {image: host, command: ["sleep", "99"]}}\n'
    orchestra("-f", "-", "up", "-d", stdin=other)
    orchestra("-p", "others", "exec", "-T", "api", "ping", "-c1", "-W1", address, code=1)
    inside(orchestra, "web", "ping", "-c1", "-W5", address)
    orchestra("-p", "others", "down", "-t", "0")
