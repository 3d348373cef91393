from __future__ import annotations

from ipaddress import ip_address

from orchestra.model.container import ContainerId, ContainerSpec, Endpoint, ImageId, Process
from orchestra.network.dns import NameTable, container_names
from orchestra.network.registry import NamedEndpoint


def packed(*texts: str) -> tuple[bytes, ...]:
    return tuple(ip_address(text).packed for text in texts)


def endpoint(name: str, network: str, address: str, *names: str, six: str = "") -> NamedEndpoint:
    return NamedEndpoint(name, name, network, address, six, names)


TABLE = NameTable(
    (
        endpoint("p-web-1", "p_front", "172.17.0.2", "web"),
        endpoint("p-web-2", "p_front", "172.17.0.3", "web"),
        endpoint("p-db-1", "p_back", "172.18.0.2", "db", six="fd00::2"),
        endpoint("p-web-1", "p_back", "172.18.0.3", "web"),
    )
)


def test_a_service_name_means_all_its_replicas_another_one_first_each_time() -> None:
    found = [TABLE.lookup("web", ("p_front",)) for _ in range(2)]
    assert all(
        each is not None and set(each.ipv4) == set(packed("172.17.0.2", "172.17.0.3"))
        for each in found
    )
    assert found[0] != found[1]


def test_names_of_other_networks_are_not_seen() -> None:
    assert TABLE.lookup("db", ("p_front",)) is None
    found = TABLE.lookup("db", ("p_front", "p_back"))
    assert found is not None
    assert (found.ipv4, found.ipv6) == (packed("172.18.0.2"), packed("fd00::2"))


def test_the_first_network_that_knows_the_name_answers() -> None:
    found = TABLE.lookup("web", ("p_back", "p_front"))
    assert found is not None
    assert found.ipv4 == packed("172.18.0.3")


def test_a_name_with_its_network_asks_only_there() -> None:
    found = TABLE.lookup("web.p_back", ("p_front", "p_back"))
    assert found is not None
    assert found.ipv4 == packed("172.18.0.3")
    assert TABLE.lookup("web.p_back", ("p_front",)) is None


def test_an_address_has_its_containers_name() -> None:
    assert TABLE.reverse("2.0.18.172.in-addr.arpa", ("p_back",)) == "p-db-1.p_back"
    assert TABLE.reverse("2.0.18.172.in-addr.arpa", ("p_front",)) is None
    nibbles = ".".join(reversed(ip_address("fd00::2").exploded.replace(":", "")))
    assert TABLE.reverse(f"{nibbles}.ip6.arpa", ("p_back",)) == "p-db-1.p_back"


def test_malformed_reverse_names_mean_nothing() -> None:
    for name in ("in-addr.arpa", "x.in-addr.arpa", "1.2.3.in-addr.arpa", "g.ip6.arpa"):
        assert TABLE.reverse(name, ("p_back",)) is None


def test_a_one_off_container_does_not_answer_for_its_service() -> None:
    def names(*, oneoff: bool) -> tuple[str, ...]:
        spec = ContainerSpec(
            id=ContainerId("ab" * 32),
            name="p-web-1",
            project="p",
            service="Web",
            image="host",
            image_id=ImageId("host"),
            process=Process(argv=("true",)),
            oneoff=oneoff,
            hostname="box",
        )
        return container_names(spec, Endpoint(network="p_front", aliases=("API",)))

    assert names(oneoff=False) == ("abababababab", "api", "box", "web")
    assert names(oneoff=True) == ("abababababab", "api", "box")
