"""`orchestra network …`: flags, columns, messages, exit codes as Docker has them; live changes."""

from __future__ import annotations

import json
import os
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network]

SHOP = """
    name: shop
    x-asleep: &asleep
      image: host
      command: ["sleep", "1000"]
      stop_grace_period: 0s
    services:
      web: {<<: *asleep}
      db: {<<: *asleep}
"""

EDGE = """
    name: other
    services:
      proxy:
        image: host
        command: ["sleep", "1000"]
        stop_grace_period: 0s
        networks: [edge]
    networks:
      edge: {external: true}
"""


@pytest.fixture
def shop(orchestra: Orchestra) -> Iterator[Orchestra]:
    """The command in the project `shop`; networks of no project go at the end."""
    write(orchestra, SHOP)
    yield orchestra
    for project in ("shop", "other"):
        orchestra("-p", project, "down", "-t", "0", code=None)
    names = orchestra("network", "ls", "--format", "{{.Name}}").out.split()
    if names:
        orchestra("network", "rm", *names)


def write(orchestra: Orchestra, text: str) -> None:
    with open(os.path.join(orchestra.directory, "compose.yaml"), "w") as file:
        file.write(textwrap.dedent(text))


def addresses(orchestra: Orchestra, service: str) -> dict[str, list[str]]:
    """Interface to addresses, as the container sees them."""
    shown = json.loads(orchestra("exec", "-T", service, "ip", "-j", "addr").out)
    return {
        link["ifname"]: [each["local"] for each in link["addr_info"] if each["scope"] == "global"]
        for link in shown
        if link["ifname"] != "lo"
    }


def test_a_created_network_is_listed_inspected_and_removed(shop: Orchestra) -> None:
    made = shop(
        "network", "create", "--label", "tier=edge", "--subnet", "10.7.0.0/24", "--gateway",
        "10.7.0.9", "--ip-range", "10.7.0.128/25", "--aux-address", "nas=10.7.0.130", "edge",
    ).out.strip()  # fmt: skip
    assert len(made) == 64
    assert shop("network", "ls").out.splitlines() == [
        "NETWORK ID     NAME      DRIVER    SCOPE",
        f"{made[:12]}   edge      bridge    local",
    ]
    assert shop("network", "ls", "-q", "--no-trunc").out.strip() == made
    (found,) = json.loads(shop("network", "inspect", made[:10]).out)
    assert list(found) == [
        "Name", "Id", "Created", "Scope", "Driver", "EnableIPv4", "EnableIPv6", "IPAM", "Internal",
        "Attachable", "Ingress", "ConfigFrom", "ConfigOnly", "Containers", "Options", "Labels",
    ]  # fmt: skip
    assert found["IPAM"] == {
        "Driver": "default",
        "Options": {},
        "Config": [
            {
                "Subnet": "10.7.0.0/24",
                "IPRange": "10.7.0.128/25",
                "Gateway": "10.7.0.9",
                "AuxiliaryAddresses": {"nas": "10.7.0.130"},
            }
        ],
    }
    taken = shop("network", "create", "edge", code=1)
    assert "network with name edge already exists" in taken.err
    overlap = shop("network", "create", "--subnet", "10.7.0.0/16", "wide", code=1)
    assert "overlaps" in overlap.err
    assert shop("network", "rm", made[:12]).out.strip() == made[:12]
    assert shop("network", "ls", "-q").out == ""


def test_what_cannot_be_made_is_refused_with_the_reason(shop: Orchestra) -> None:
    for flags, told in (
        (["--scope", "swarm"], "there is no scope 'swarm'"),
        (["--ingress"], "for swarms"),
        (["--gateway", "10.7.0.1"], "must have a corresponding subnet"),
        (["--subnet", "10.7.0.0/24", "--gateway", "10.8.0.1"], "no matching subnet for gateway"),
        (["--subnet", "10.7.0.0/33"], "10.7.0.0/33"),
        (["--driver", "overlay"], "no driver 'overlay'"),
        (["--ipam-driver", "dhcp"], "no ipam driver 'dhcp'"),
    ):
        refused = shop("network", "create", *flags, "edge", code=1)
        assert told in refused.err, refused
    assert "predefined host network" in shop("network", "create", "host", code=1).err
    assert "is not a network name" in shop("network", "create", "a b", code=1).err
    assert "network nowhere not found" in shop("network", "inspect", "nowhere", code=1).err
    assert "network nowhere not found" in shop("network", "rm", "nowhere", code=1).err
    shop("network", "rm", "-f", "nowhere")
    assert shop("network", "ls", "-q").out == ""


def test_projects_use_an_external_network_and_it_stays(shop: Orchestra) -> None:
    shop("network", "create", "edge")
    write(shop, EDGE)
    shop("up", "-d")
    members = "{{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}"
    (inspected,) = shop("network", "inspect", "-f", members, "edge").out.splitlines()
    assert inspected.startswith("other-proxy-1 172.")
    refused = shop("network", "rm", "edge", code=1)
    assert "network edge has active endpoints: other-proxy-1" in refused.err
    assert "edge" not in shop("network", "prune", "-f").out
    shop("down")
    assert shop("network", "ls", "--format", "{{.Name}}").out == "edge\n"
    assert shop("network", "prune", "-f").out == "Deleted Networks:\nedge\n\n"


def test_filters_of_ls_and_prune(shop: Orchestra) -> None:
    shop("network", "create", "--label", "keep", "kept")
    shop("network", "create", "--internal", "inner")
    shop("up", "-d")
    ls = ("network", "ls", "--format", "{{.Name}} {{.Internal}}")
    assert shop(*ls, "-f", "name=inn").out == "inner true\n"
    assert shop(*ls, "-f", "label=keep").out == "kept false\n"
    assert shop(*ls, "-f", "label=com.docker.compose.project=shop").out == "shop_default false\n"
    assert shop(*ls, "-f", "dangling=true").out == "inner true\nkept false\n"
    assert shop(*ls, "-f", "dangling=0", "-f", "driver=bridge").out == "shop_default false\n"
    assert shop(*ls, "-f", "type=builtin").out == ""
    assert shop("network", "prune", "-f", "--filter", "until=1h").out == ""
    assert shop("network", "prune", stdin="n\n").out == ""
    pruned = shop("network", "prune", "-f", "--filter", "label!=keep").out
    assert pruned == "Deleted Networks:\ninner\n\n"
    assert "Deleted Networks:\nkept\n" in shop("system", "prune", "-f").out
    shop("rm", "-sf")
    assert shop("network", "prune", "-f").out == "Deleted Networks:\nshop_default\n\n"


def test_a_running_container_comes_to_a_network_and_leaves_it(shop: Orchestra) -> None:
    shop("network", "create", "--subnet", "10.7.0.0/24", "edge")
    shop("up", "-d")
    before = addresses(shop, "web")
    shop("network", "connect", "--ip", "10.7.0.77", "--alias", "www", "edge", "shop-web-1")
    after = addresses(shop, "web")
    assert after == {**before, "eth1": ["10.7.0.77"]}
    shop("network", "connect", "edge", "shop-db-1")
    asked = shop("exec", "-T", "db", "getent", "hosts", "www").out
    assert asked.startswith("10.7.0.77 ")
    shop("exec", "-T", "db", "ping", "-c", "1", "-W", "5", "www")
    hosts = shop("exec", "-T", "web", "cat", "/etc/hosts").out
    assert "10.7.0.77\t" in hosts
    again = shop("network", "connect", "edge", "shop-web-1", code=1)
    assert "endpoint with name shop-web-1 already exists in network edge" in again.err
    shown = json.loads(shop("ps", "--format", "json", "web").out)
    assert shown["Networks"] == "edge,shop_default"

    shop("network", "disconnect", "edge", "shop-web-1")
    assert addresses(shop, "web") == before
    shop("exec", "-T", "db", "getent", "hosts", "www", code=2)
    absent = shop("network", "disconnect", "edge", "shop-web-1", code=1)
    assert "is not connected to the network edge" in absent.err


def test_a_connection_outlives_stop_and_start(shop: Orchestra) -> None:
    shop("network", "create", "--ipv6", "edge")
    shop("up", "-d")
    shop("stop", "web")
    shop("network", "connect", "edge", "shop-web-1")
    shop("start", "web")
    found = addresses(shop, "web")
    assert sorted(found) == ["eth0", "eth1"]
    assert sorted(map(len, found.values())) == [1, 2]  # an IPv6 address as well
    shop("network", "disconnect", "shop_default", "shop-web-1")
    left = addresses(shop, "web")
    assert list(map(len, left.values())) == [2]
    shop("network", "connect", "shop_default", "shop-web-1")
    shop("restart", "web")
    assert sorted(addresses(shop, "web")) == ["eth0", "eth1"]


def test_ipv6_on_a_container_that_began_without(shop: Orchestra) -> None:
    shop("network", "create", "--ipv6", "--subnet", "fd00:7::/64", "edge")
    shop("up", "-d")
    shop("network", "connect", "--ip6", "fd00:7::77", "edge", "shop-web-1")
    shop("network", "connect", "edge", "shop-db-1")
    assert "fd00:7::77" in addresses(shop, "web")["eth1"]
    shop("exec", "-T", "db", "ping", "-6", "-c", "1", "-W", "5", "fd00:7::77")


def test_the_default_route_follows_the_gateway_priority(shop: Orchestra) -> None:
    shop("network", "create", "--subnet", "10.7.0.0/24", "edge")
    shop("network", "create", "--subnet", "10.8.0.0/24", "zone")
    shop("up", "-d")

    def gateway() -> str:
        (route,) = json.loads(shop("exec", "-T", "web", "ip", "-j", "route", "show", "default").out)
        return str(route["gateway"])

    first = gateway()
    shop("network", "connect", "--gw-priority", "1", "zone", "shop-web-1")
    assert gateway() == "10.8.0.1"
    shop("network", "connect", "--gw-priority=-1", "edge", "shop-web-1")
    assert gateway() == "10.8.0.1"
    shop("network", "disconnect", "zone", "shop-web-1")
    assert gateway() == first


def test_a_link_is_a_name_for_one_container_only(shop: Orchestra) -> None:
    shop("network", "create", "edge")
    shop("up", "-d")
    shop("network", "connect", "edge", "shop-db-1")
    shop("network", "connect", "--link", "shop-db-1:store", "edge", "shop-web-1")
    assert shop("exec", "-T", "web", "getent", "hosts", "store").out
    shop("exec", "-T", "db", "getent", "hosts", "store", code=2)


def test_who_has_no_network_of_his_own_is_not_connected(shop: Orchestra) -> None:
    shop("network", "create", "edge")
    write(shop, SHOP.replace("db: {<<: *asleep}", "db: {<<: *asleep, network_mode: host}"))
    shop("up", "-d")
    refused = shop("network", "connect", "edge", "shop-db-1", code=1)
    assert "shares the network of the host" in refused.err
    assert "No such container: nobody" in shop("network", "connect", "edge", "nobody", code=1).err
    refused = shop("network", "connect", "--ip", "10.99.0.1", "edge", "shop-web-1", code=1)
    assert "is not in the subnet" in refused.err
    assert sorted(addresses(shop, "web")) == ["eth0"]
