from __future__ import annotations

import pytest

from orchestra.model.container import ContainerId, ContainerSpec, Endpoint, ImageId, Process
from orchestra.model.network import NetworkSpec
from orchestra.model.state import EndpointState
from orchestra.network import endpoints as ep
from orchestra.network.links import bridge_name, veth_name


def spec(*endpoints: Endpoint) -> ContainerSpec:
    return ContainerSpec(
        id=ContainerId("ab" * 32),
        name="p-web-1",
        project="p",
        service="web",
        image="host",
        image_id=ImageId("host"),
        process=Process(argv=("true",)),
        endpoints=endpoints,
    )


def state(network: str, last: int) -> EndpointState:
    return EndpointState(network, f"10.0.{last}.2", 24, f"10.0.{last}.1", "02:42:0a:00:00:02")


def no(_name: str) -> bool:
    return False


def test_eth0_is_on_the_network_with_the_highest_priority_then_by_name() -> None:
    container = spec(
        Endpoint(network="b"), Endpoint(network="c", priority=10), Endpoint(network="a")
    )
    assert [each.network for each in ep.in_interface_order(container)] == ["c", "a", "b"]


def test_the_default_route_goes_by_gateway_priority_then_by_name() -> None:
    endpoints = (
        Endpoint(network="c", priority=10),
        Endpoint(network="a"),
        Endpoint(network="b", gw_priority=1),
    )
    states = (state("c", 3), state("a", 1), state("b", 2))
    (gateway,) = ep.plan_gateways(endpoints, states, no, no)
    assert gateway == (2, b"\x0a\x00\x02\x01")
    (other,) = ep.plan_gateways(endpoints[:2], states[:2], no, no)
    assert other == (1, b"\x0a\x00\x01\x01")


def test_an_internal_network_gives_no_default_route() -> None:
    endpoints = (Endpoint(network="a"), Endpoint(network="b"))
    states = (state("a", 1), state("b", 2))
    (gateway,) = ep.plan_gateways(endpoints, states, lambda name: name == "a", no)
    assert gateway.link == 1
    assert ep.plan_gateways(endpoints, states, lambda _name: True, no) == ()


def test_both_ip_versions_get_a_default_route() -> None:
    both = state("a", 1)._replace(address6="fd00::2", prefix6_length=64, gateway6="fd00::1")
    found = ep.plan_gateways((Endpoint(network="a"),), (both,), no, no)
    assert [len(gateway.address) for gateway in found] == [4, 16]


def test_a_link_obeys_the_networks_options_and_the_endpoint() -> None:
    network = NetworkSpec(
        name="a",
        project="p",
        key="a",
        driver_opts=(
            ("com.docker.network.driver.mtu", "1400"),
            ("com.docker.network.bridge.enable_icc", "false"),
        ),
    )
    endpoint = Endpoint(network="a", link_local_ips=("169.254.8.8",))
    link = ep.plan_link(
        ep.LinkPlace("ab" * 32, 1, 7, False, "lan"), endpoint, state("a", 1), network
    )
    assert (link.name, link.mtu, link.isolated, link.hairpin) == ("lan", 1400, True, False)
    assert link.addresses == ((b"\x0a\x00\x01\x02", 24), (b"\xa9\xfe\x08\x08", 16))
    assert link.mac == b"\x02\x42\x0a\x00\x00\x02"


@pytest.mark.parametrize("name", ["p_default", "x" * 200])
def test_link_names_fit_the_kernel_and_stay_the_same(name: str) -> None:
    assert bridge_name(name) == bridge_name(name)
    assert len(bridge_name(name)) <= 15
    assert len(veth_name("ab" * 32, 15)) <= 15
