from __future__ import annotations

from ipaddress import IPv4Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.errors import Conflict
from orchestra.model.network import IpamPool, NetworkSpec
from orchestra.network.ipam import (
    DOCKER_POOLS,
    Pool,
    choose_subnet,
    mac_address,
    plan_network,
    stored_range,
)


def spec(*pools: IpamPool, enable_ipv6: bool = False) -> NetworkSpec:
    return NetworkSpec(
        name="p_default", project="p", key="default", pools=pools, enable_ipv6=enable_ipv6
    )


def test_the_first_network_gets_dockers_first_subnet() -> None:
    ranges = plan_network(spec(), ())
    assert str(ranges.ipv4.subnet) == "172.17.0.0/16"
    assert str(ranges.ipv4.gateway) == "172.17.0.1"
    assert ranges.ipv6 is None


def test_a_route_of_the_host_within_a_subnet_rules_it_out() -> None:
    used = [ip_network("172.17.4.0/24"), ip_network("172.16.0.0/15"), ip_network("172.18.0.1/32")]
    assert str(plan_network(spec(), used).ipv4.subnet) == "172.19.0.0/16"


@given(st.integers(0, 40))
def test_chosen_subnets_never_overlap(count: int) -> None:
    used: list[IPv4Network] = []
    for _ in range(count):
        if len(used) == 31:
            with pytest.raises(Conflict, match="every subnet"):
                choose_subnet(DOCKER_POOLS, used)
            return
        subnet = choose_subnet(DOCKER_POOLS, used)
        assert not any(subnet.overlaps(other) for other in used)
        used.append(subnet)


def test_a_wanted_subnet_that_overlaps_is_a_conflict() -> None:
    with pytest.raises(Conflict, match=r"172\.30\.1\.0/24 overlaps 172\.30\.0\.0/16"):
        plan_network(spec(IpamPool(subnet="172.30.1.0/24")), [ip_network("172.30.0.0/16")])


def test_a_subnet_that_is_none_is_refused_with_a_fix() -> None:
    with pytest.raises(Conflict, match="network p_default") as caught:
        plan_network(spec(IpamPool(subnet="10.0.0.0/99")), ())
    assert "ADDRESS/LENGTH" in caught.value.fix


def test_gateway_range_and_auxiliary_addresses_are_respected() -> None:
    pool = IpamPool(
        subnet="10.5.0.0/24",
        gateway="10.5.0.254",
        ip_range="10.5.0.8/30",
        aux_addresses=(("router", "10.5.0.8"),),
    )
    addresses = stored_range("10.5.0.0/24", "10.5.0.254", (pool,))
    assert str(addresses.first_free(())) == "10.5.0.9"
    assert str(addresses.asked_for("10.5.0.77", ())) == "10.5.0.77"
    with pytest.raises(Conflict, match="already in use"):
        addresses.asked_for("10.5.0.254", ())
    with pytest.raises(Conflict, match="not in the subnet"):
        addresses.asked_for("10.6.0.1", ())


@given(st.integers(24, 31), st.sets(st.integers(0, 255)))
def test_no_address_is_handed_out_twice(length: int, offsets: set[int]) -> None:
    subnet = IPv4Network(f"10.0.0.0/{length}")
    base = int(subnet.network_address)
    addresses = stored_range(str(subnet), str(base_plus(subnet, 1)), ())
    taken = {base + offset for offset in offsets}
    while True:
        try:
            address = addresses.first_free(taken)
        except Conflict:
            break
        assert int(address) not in taken
        assert address in subnet
        assert address != addresses.gateway
        taken.add(int(address))
    if length < 31:
        assert base not in taken - {base + offset for offset in offsets}


def base_plus(subnet: IPv4Network, offset: int) -> object:
    return subnet.network_address + offset


def test_ipv6_without_a_subnet_gets_a_unique_local_one_that_comes_back() -> None:
    first = plan_network(spec(enable_ipv6=True), ()).ipv6
    again = plan_network(spec(enable_ipv6=True), ()).ipv6
    assert first is not None
    assert again is not None
    assert first.subnet == again.subnet
    assert first.subnet.is_private
    assert first.subnet.prefixlen == 64
    other = plan_network(spec(enable_ipv6=True), [first.subnet]).ipv6
    assert other is not None
    assert not other.subnet.overlaps(first.subnet)


def test_the_first_free_ipv6_address_stays_ipv6() -> None:
    addresses = stored_range("::/120", "::1", ())
    assert str(addresses.first_free(())) == "::2"


def test_pools_are_cut_to_their_length() -> None:
    pools = (Pool(IPv4Network("10.0.0.0/24"), 26),)
    first = choose_subnet(pools, ())
    assert [str(first), str(choose_subnet(pools, [first]))] == ["10.0.0.0/26", "10.0.0.64/26"]


def test_the_mac_follows_from_the_address_as_dockers_does() -> None:
    assert mac_address(ip_address("172.17.0.2")) == "02:42:ac:11:00:02"
