"""`network connect` and `network disconnect`: containers that exist come to a network, or leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.base import ConnectNetwork, DisconnectNetwork, call
from orchestra.errors import Conflict, NotFound
from orchestra.model.container import ContainerId
from orchestra.model.structs import msgspec
from orchestra.network.standalone import open_networks
from orchestra.ops.container_find import find_container
from orchestra.ops.lock import project_lock
from orchestra.ops.networks import find_network

if TYPE_CHECKING:
    from orchestra.engine.base import Request
    from orchestra.layout import Layout
    from orchestra.model.container import Endpoint
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host


def connect_network(host: Host, container: str, wanted: Endpoint) -> None:
    """Bring *container* to the network that *wanted* names, by its name or id.

    Raises NotFound for either, Conflict when it is there already or an address is taken.
    """
    network = find_network(host.layout, wanted.network).spec.name
    state = find_container(host.layout, container)
    if _is_on(state, network):
        raise Conflict(
            f"endpoint with name {state.name} already exists in network {network}",
            fix=f"`orchestra network disconnect {network} {state.name}` takes it away",
        )
    endpoint = msgspec.structs.replace(wanted, network=network)
    request = ConnectNetwork(id=ContainerId(state.id), endpoint=endpoint)
    _ask(host, state, "network connect", request)


def disconnect_network(host: Host, asked: str, container: str, *, force: bool) -> None:
    """Take *container* from a network; with *force* also one that exists no more.

    Raises NotFound for either, Conflict when it is not on it.
    """
    network = find_network(host.layout, asked).spec.name
    try:
        state = find_container(host.layout, container)
    except NotFound:
        if force and _forget_gone(host.layout):
            return
        raise
    if not _is_on(state, network):
        raise Conflict(
            f"container {state.name} is not connected to the network {network}",
            fix=f"`orchestra network inspect {network}` shows who is",
        )
    request = DisconnectNetwork(id=ContainerId(state.id), network=network)
    _ask(host, state, "network disconnect", request)


def _is_on(state: ContainerState, network: str) -> bool:
    return any(endpoint.network == network for endpoint in state.endpoints)


def _forget_gone(layout: Layout) -> bool:
    """Did the registry still know containers that are gone?"""
    with open_networks(layout) as networks:
        return networks.forget_gone()


def _ask(host: Host, state: ContainerState, command: str, request: Request) -> None:
    with project_lock(host.layout, state.project, command=command, report=lambda _: None):
        engine = host.open_engine(state.project)
        try:
            call(engine, request)
        finally:
            engine.close()
