"""The plan that takes a project, or some of its services, away. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine import base as engine
from orchestra.model.container import ContainerId
from orchestra.named import NamedTuple
from orchestra.plan.graph import Plan, PlanBuilder
from orchestra.plan.lifecycle import edges_of, in_order, resource_of
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from orchestra.model.state import ContainerState
    from orchestra.plan.observed import Observed


class DownScope(NamedTuple):
    """What goes. *declared* None: no compose file was read, so there are no orphans."""

    services: frozenset[str] = frozenset()  # empty: all
    declared: frozenset[str] | None = None
    remove_orphans: bool = False
    volumes: bool = False
    stop_grace_s: float | None = None


def plan_down(observed: Observed, scope: DownScope) -> Plan[engine.Request]:
    """Stop dependents first, then remove containers, networks and, if asked, volumes.

    Networks that a container which stays is on, stay too.
    """
    builder: PlanBuilder[engine.Request] = PlanBuilder()
    going = [container for container in observed.containers if _goes(container, scope)]
    removed = _plan_containers(builder, going, scope)
    staying = [container for container in observed.containers if container.id not in removed]
    _plan_networks(builder, observed, staying, removed)
    if scope.volumes and not scope.services:
        _plan_volumes(builder, observed, staying, removed)
    return builder.build()


def _goes(container: ContainerState, scope: DownScope) -> bool:
    if container.oneoff and not container.is_hook:
        return scope.remove_orphans
    if scope.declared is not None and container.service not in scope.declared:
        return scope.remove_orphans
    return not scope.services or container.service in scope.services


def _plan_containers(
    builder: PlanBuilder[engine.Request], going: list[ContainerState], scope: DownScope
) -> dict[str, int]:
    """The RemoveContainer of each container that goes."""
    removed: dict[str, int] = {}
    stops: dict[str, list[int]] = {}  # service -> the stops of its dependents
    for container in reversed(in_order(going)):
        identifier = ContainerId(container.id)
        needs: list[int] = []
        if container.status not in ("created", "exited", "dead"):
            stop = builder.add(
                Verb.STOP,
                resource_of(container),
                request=engine.StopContainer(id=identifier, grace_s=scope.stop_grace_s),
                wants=stops.get(container.service, ()),
            )
            needs = [stop]
            for edge in edges_of(container):
                stops.setdefault(edge.service, []).append(stop)
        removed[container.id] = builder.add(
            Verb.REMOVE,
            resource_of(container),
            request=engine.RemoveContainer(id=identifier, force=True, volumes=scope.volumes),
            needs=needs,
        )
    return removed


def _plan_networks(
    builder: PlanBuilder[engine.Request],
    observed: Observed,
    staying: list[ContainerState],
    removed: dict[str, int],
) -> None:
    used = {endpoint.network for container in staying for endpoint in container.endpoints}
    users: dict[str, list[int]] = {}
    for container in observed.containers:
        for endpoint in container.endpoints:
            if container.id in removed:
                users.setdefault(endpoint.network, []).append(removed[container.id])
    for name, state in sorted(observed.networks.items()):
        if name not in used and not state.spec.external:
            builder.add(
                Verb.REMOVE,
                f"Network {name}",
                request=engine.RemoveNetwork(name=name),
                needs=users.get(name, ()),
                shared=True,
            )


def _plan_volumes(
    builder: PlanBuilder[engine.Request],
    observed: Observed,
    staying: list[ContainerState],
    removed: dict[str, int],
) -> None:
    used = {name for container in staying for name in container.mounts}
    users: dict[str, list[int]] = {}
    for container in observed.containers:
        for name in container.mounts:
            if container.id in removed:
                users.setdefault(name, []).append(removed[container.id])
    for name, state in sorted(observed.volumes.items()):
        if name not in used and not state.spec.external:
            builder.add(
                Verb.REMOVE,
                f"Volume {name}",
                request=engine.RemoveVolume(name=name),
                needs=users.get(name, ()),
                silent=state.spec.anonymous,
                shared=True,
            )
