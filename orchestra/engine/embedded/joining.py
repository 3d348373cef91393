"""Containers that come to a network, or leave one, after they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.embedded import running
from orchestra.engine.embedded.assembly import write_etc_files
from orchestra.engine.embedded.making import change_spec
from orchestra.errors import Conflict
from orchestra.model.container import NetworkMode
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from orchestra.engine.base import ConnectNetwork, DisconnectNetwork
    from orchestra.engine.embedded.core import Container, Core, Reply
    from orchestra.model.container import ContainerSpec, Endpoint
    from orchestra.network.base import Allocation


def connect(core: Core, container: Container, request: ConnectNetwork, reply: Reply) -> None:
    """See ConnectNetwork; asked for again after a crash it finishes what was begun."""
    running.settle_launch(container)
    spec = container.spec
    if spec.network_mode is not NetworkMode.ENDPOINTS:
        raise Conflict(
            f"container {container.state.name} shares the network of "
            + ("the host" if spec.network_mode is NetworkMode.HOST else "another container"),
            fix="give its service networks of its own in place of network_mode",
        )
    if request.endpoint not in spec.endpoints:
        others = _without(spec, request.endpoint.network)
        changed = msgspec.structs.replace(spec, endpoints=(*others, request.endpoint))
        allocation = core.drivers.networks.attach(
            changed, container.allocation, request.endpoint.network, container.state.pid
        )
        _remember(core, container, changed, allocation)
    reply.succeed()


def disconnect(core: Core, container: Container, request: DisconnectNetwork, reply: Reply) -> None:
    """See DisconnectNetwork."""
    running.settle_launch(container)
    others = _without(container.spec, request.network)
    changed = msgspec.structs.replace(container.spec, endpoints=others)
    allocation = core.drivers.networks.detach(
        changed, container.allocation, request.network, container.state.pid
    )
    _remember(core, container, changed, allocation)
    reply.succeed()


def _without(spec: ContainerSpec, network: str) -> tuple[Endpoint, ...]:
    return tuple(endpoint for endpoint in spec.endpoints if endpoint.network != network)


def _remember(
    core: Core, container: Container, spec: ContainerSpec, allocation: Allocation
) -> None:
    """The files that outlive us, and those that the running container sees."""
    change_spec(core, container, spec)
    core.set_state(container, container.state._replace(endpoints=allocation.endpoints))
    if container.is_running:
        write_etc_files(core, container, core.layout.container_run(core.project, spec.id))
