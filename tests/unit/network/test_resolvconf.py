from __future__ import annotations

from orchestra.model.container import Dns
from orchestra.network.resolvconf import (
    embedded_resolv_conf,
    host_resolv_conf,
    hosts_text,
    parse_resolv_conf,
)

HOST = "# comment\nnameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch corp.example\noptions edns0\n"


def test_the_hosts_file_is_parsed() -> None:
    found = parse_resolv_conf(HOST + "; other\nnameserver\nnonsense here\n")
    assert found.servers == ("127.0.0.53", "10.0.0.1")
    assert found.search == ("corp.example",)
    assert found.options == ("edns0",)


def test_a_container_asks_the_embedded_server_with_the_hosts_search_list() -> None:
    assert embedded_resolv_conf(parse_resolv_conf(HOST), Dns()) == (
        "nameserver 127.0.0.11\nsearch corp.example\noptions edns0 ndots:0\n"
    )


def test_dns_of_the_service_wins_and_a_dot_means_no_search() -> None:
    dns = Dns(servers=("1.1.1.1",), search=(".",), options=("ndots:2",))
    assert embedded_resolv_conf(parse_resolv_conf(HOST), dns) == (
        "nameserver 127.0.0.11\noptions ndots:2\n"
    )
    assert host_resolv_conf(HOST, dns) == "nameserver 1.1.1.1\noptions ndots:2\n"


def test_host_mode_copies_the_hosts_file() -> None:
    assert host_resolv_conf(HOST, Dns()) == HOST


def test_hosts_has_localhost_extra_hosts_and_the_container_itself() -> None:
    text = hosts_text(("box.example", "box"), ("172.17.0.2",), (("db", "10.0.0.9"),))
    lines = text.splitlines()
    assert lines[0] == "127.0.0.1\tlocalhost"
    assert lines[-2:] == ["10.0.0.9\tdb", "172.17.0.2\tbox.example box"]
