from __future__ import annotations

import multiprocessing
import os
import signal
from ipaddress import IPv4Network, ip_network
from typing import TYPE_CHECKING

import pytest

from orchestra.errors import RuntimeFailure
from orchestra.network.ipam import DOCKER_POOLS, choose_subnet
from orchestra.network.registry import EndpointRow, NetworkRow, Owner, PortRow, Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "data" / "registry.db")


@pytest.fixture
def registry(path: str) -> Iterator[Registry]:
    found = Registry(path, lambda _project, _id: False)
    yield found
    found.close()


def row(name: str, subnet: str) -> NetworkRow:
    return NetworkRow(name, "p", f"or-{name}", subnet, "", "", "", b"{}")


def owner(name: str, service: str = "web", number: int = 1) -> Owner:
    return Owner(name, "p", service, number, f"p-{service}-{number}")


def test_what_one_process_writes_another_reads(registry: Registry, path: str) -> None:
    with registry.transaction():
        registry.add_network(row("front", "172.17.0.0/16"))
    other = Registry(path, lambda _project, _id: False)
    assert other.network("front") == row("front", "172.17.0.0/16")
    assert other.networks("q") == []
    other.close()


def test_its_files_are_their_owners_alone(registry: Registry, path: str) -> None:
    with registry.transaction():
        registry.add_network(row("front", "172.17.0.0/16"))
    names = [name for name in os.listdir(os.path.dirname(path)) if name.startswith("registry")]
    modes = {os.stat(os.path.join(os.path.dirname(path), name)).st_mode & 0o777 for name in names}
    assert len(names) == 3
    assert modes == {0o600}


def test_a_failed_transaction_leaves_nothing(registry: Registry) -> None:
    def fail() -> None:
        with registry.transaction():
            registry.add_network(row("front", "172.17.0.0/16"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert registry.networks() == []


def test_the_version_changes_with_every_change_of_anybody(registry: Registry, path: str) -> None:
    first = registry.version()
    assert registry.version() == first
    with registry.transaction():
        registry.add_network(row("front", "172.17.0.0/16"))
    second = registry.version()
    other = Registry(path, lambda _project, _id: False)
    with other.transaction():
        other.remove_network("front")
    other.close()
    assert len({first, second, registry.version()}) == 3


def test_names_are_known_while_a_container_runs(registry: Registry) -> None:
    with registry.transaction():
        registry.add_container(owner("a"))
        registry.add_endpoint(EndpointRow("a", "front", 0, "172.17.0.2", "", ("web",)))
    assert registry.running_endpoints() == []
    with registry.transaction():
        registry.set_running("a", "renamed", os.getpid())
    (found,) = registry.running_endpoints()
    assert (found.container_name, found.address, found.names) == (
        "renamed",
        "172.17.0.2",
        ("web",),
    )
    with registry.transaction():
        registry.set_stopped("a")
    assert registry.running_endpoints() == []


def test_removing_a_container_gives_everything_back(registry: Registry) -> None:
    with registry.transaction():
        registry.add_container(owner("a"))
        registry.add_endpoint(EndpointRow("a", "front", 0, "172.17.0.2", "", ()))
        registry.add_port(PortRow("a", "tcp", "0.0.0.0", 80, 8080))
        registry.remove_container("a")
    assert registry.all_addresses("front") == []
    assert registry.port_holders("tcp", 80) == []


def test_a_port_is_in_use_before_the_first_start_and_while_running(registry: Registry) -> None:
    with registry.transaction():
        registry.add_container(owner("a"))
        registry.add_port(PortRow("a", "tcp", "0.0.0.0", 80, 8080))
    assert [holder.in_use for holder in registry.port_holders("tcp", 80)] == [True]
    with registry.transaction():
        registry.set_running("a", "p-web-1", os.getpid())
    assert [holder.in_use for holder in registry.port_holders("tcp", 80)] == [True]
    with registry.transaction():
        registry.set_stopped("a")
    assert [holder.in_use for holder in registry.port_holders("tcp", 80)] == [False]


def _claim(path: str, name: str) -> None:
    registry = Registry(path, lambda _project, _id: False)
    for number in range(3):
        with registry.transaction():
            used = [ip_network(found.subnet) for found in registry.networks()]
            registry.add_network(row(f"{name}{number}", str(choose_subnet(DOCKER_POOLS, used))))
    registry.close()


def test_processes_at_once_never_get_overlapping_subnets(path: str) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_claim, args=(path, f"n{n}-")) for n in range(5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
        assert process.exitcode == 0
    registry = Registry(path, lambda _project, _id: False)
    subnets = [IPv4Network(found.subnet) for found in registry.networks()]
    registry.close()
    assert len(subnets) == 15
    assert len(set(subnets)) == 15


def _allocate_and_die(path: str, *, halfway: bool) -> None:
    registry = Registry(path, lambda _project, _id: False)
    with registry.transaction():
        registry.add_container(owner("a"))
        registry.add_port(PortRow("a", "tcp", "0.0.0.0", 80, 8080))
        if halfway:
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("halfway", [True, False])
def test_what_a_killed_process_left_is_healed(path: str, *, halfway: bool) -> None:
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_allocate_and_die, args=(path,), kwargs={"halfway": halfway})
    process.start()
    process.join(20)
    assert process.exitcode == -signal.SIGKILL
    registry = Registry(path, lambda _project, _id: False)
    with registry.transaction():
        healed = registry.heal()
    assert [port.host_port for port in healed.ports] == ([] if halfway else [80])
    assert registry.container("a") is None
    registry.close()


def test_a_container_with_a_spec_outlives_its_supervisor(path: str) -> None:
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_allocate_and_die, args=(path,), kwargs={"halfway": False})
    process.start()
    process.join(20)
    registry = Registry(path, lambda project, container: (project, container) == ("p", "a"))
    with registry.transaction():
        assert registry.heal().containers == []
    assert registry.container("a") == owner("a")
    registry.close()


def test_the_address_of_a_replaced_container_may_be_asked_for_again(registry: Registry) -> None:
    with registry.transaction():
        registry.add_container(owner("old"))
        registry.add_endpoint(EndpointRow("old", "front", 0, "172.17.0.9", "", ()))
    assert registry.addresses("front", replaced_by=owner("new")) == []
    assert registry.addresses("front", replaced_by=owner("new", "db")) == ["172.17.0.9"]
    assert registry.all_addresses("front") == ["172.17.0.9"]


def test_a_damaged_file_is_reported_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"this is no database" * 100)
    registry = Registry(str(tmp_path / "registry.db"), lambda _project, _id: False)

    def begin() -> None:
        with registry.transaction():
            raise AssertionError("nothing can be done inside")

    with pytest.raises(RuntimeFailure, match="cannot use the registry") as caught:
        begin()
    assert "remove it" in caught.value.fix
