"""Plans for containers that exist: stop, start, restart, kill, pause, remove. Pure, light.

The order comes from the containers' own `com.docker.compose.depends_on` labels, so no compose file
is needed, and requests are plain frames (`{"type": "StopContainer", "id": …}`), so that `stop` and
`kill` import no msgspec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model import labels
from orchestra.model.state import ALIVE, Health, Status
from orchestra.named import NamedTuple
from orchestra.plan.graph import Plan, PlanBuilder
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.model.state import ContainerState

Frame = dict[str, object]
"""A request as the supervisor reads it; its "type" is the name of the request's class."""

_COMPLETED = "service_completed_successfully"
_HEALTHY = "service_healthy"


class Edge(NamedTuple):
    """`db:service_healthy:false` of a depends_on label."""

    service: str
    condition: str
    restart: bool


def edges_of(container: ContainerState) -> tuple[Edge, ...]:
    """What *container* depends on, by its label; a damaged label is no dependency."""
    for key, value in container.labels:
        if key == labels.DEPENDS_ON:
            parts = (entry.split(":") for entry in value.split(",") if entry)
            return tuple(
                Edge(entry[0], entry[1], entry[2] == "true") for entry in parts if len(entry) == 3
            )
    return ()


def plan_stop(containers: Sequence[ContainerState], grace_s: float | None) -> Plan[Frame]:
    """Stop what runs, dependents before what they depend on."""
    builder: PlanBuilder[Frame] = PlanBuilder()
    _stop(builder, containers, grace_s)
    return builder.build()


def plan_remove(
    containers: Sequence[ContainerState], *, volumes: bool, grace_s: float | None = None
) -> Plan[Frame]:
    """Stop what runs of *containers*, in order, then remove all of them."""
    builder: PlanBuilder[Frame] = PlanBuilder()
    stopped = _stop(builder, containers, grace_s)
    for container in containers:
        builder.add(
            Verb.REMOVE,
            resource_of(container),
            request={"type": "RemoveContainer", "id": container.id, "volumes": volumes},
            needs=[stopped[container.id]] if container.id in stopped else [],
        )
    return builder.build()


def plan_each(containers: Iterable[ContainerState], verb: Verb, request: Frame) -> Plan[Frame]:
    """The same *request* for each container, all at once."""
    builder: PlanBuilder[Frame] = PlanBuilder()
    for container in containers:
        builder.add(verb, resource_of(container), request={**request, "id": container.id})
    return builder.build()


def plan_start(
    chosen: Sequence[ContainerState], everything: Sequence[ContainerState]
) -> Plan[Frame]:
    """Start what does not run of *chosen*, after their dependencies of *everything* are ready."""
    builder: PlanBuilder[Frame] = PlanBuilder()
    starting = {c.id for c in chosen if c.status not in ALIVE}
    by_service = _by_service(c for c in everything if not c.oneoff)
    started: dict[str, int] = {}
    waits: dict[tuple[str, str], int] = {}
    hooks: dict[str, list[int]] = {}  # service -> the end of its last pre_start command
    for container in in_order(chosen):
        if container.id not in starting:
            continue
        needs = [
            key
            for edge in edges_of(container)
            for other in by_service.get(edge.service, ())
            for key in _ready(builder, other, edge.condition, started, waits)
        ]
        if not container.started_ns:
            if container.service not in hooks:
                hooks[container.service] = _run_hooks(builder, everything, container, needs)
            needs += hooks[container.service]
        started[container.id] = builder.add(
            Verb.START,
            resource_of(container),
            request={"type": "StartContainer", "id": container.id},
            needs=needs,
        )
    return builder.build()


def _run_hooks(
    builder: PlanBuilder[Frame],
    everything: Iterable[ContainerState],
    of: ContainerState,
    needs: list[int],
) -> list[int]:
    """Run the `pre_start` containers that `create`, or a failed `up`, has left of a service."""
    before: list[int] = []
    hooks = (c for c in everything if c.is_hook and c.service == of.service)
    for hook in sorted(hooks, key=lambda c: (c.number, c.name)):
        keys = before + needs
        for verb, request in _HOOK_STEPS:
            key = builder.add(
                verb,
                resource_of(hook),
                request={"type": request, "id": hook.id},
                cause=f'service "{of.service}" pre_start' if verb is Verb.AWAIT_EXIT else "",
                needs=keys,
                must_succeed=verb is Verb.AWAIT_EXIT,
            )
            keys = [key]
            if verb is Verb.AWAIT_EXIT:
                before = keys
    return before


_HOOK_STEPS = (
    (Verb.START, "StartContainer"),
    (Verb.AWAIT_EXIT, "WaitExited"),
    (Verb.REMOVE, "RemoveContainer"),
)


def plan_ready(containers: Iterable[ContainerState]) -> Plan[Frame]:
    """Wait until each of *containers* is healthy, or runs without a check.

    One that has ended with status 0 is ready as well.
    """
    waiting = (c for c in containers if not _fulfils(c, _COMPLETED) and not _fulfils(c, _HEALTHY))
    return plan_each(waiting, Verb.AWAIT_HEALTHY, {"type": "WaitHealthy", "or_completed": True})


def plan_restart(containers: Sequence[ContainerState], grace_s: float | None) -> Plan[Frame]:
    """Restart *containers*, each after those that it depends on."""
    builder: PlanBuilder[Frame] = PlanBuilder()
    keys: dict[str, list[int]] = {}
    for container in in_order(containers):
        request: Frame = {"type": "RestartContainer", "id": container.id}
        if grace_s is not None:
            request["grace_s"] = grace_s
        key = builder.add(
            Verb.RESTART,
            resource_of(container),
            request=request,
            needs=[k for edge in edges_of(container) for k in keys.get(edge.service, ())],
        )
        keys.setdefault(container.service, []).append(key)
    return builder.build()


def with_restarting_dependents(
    chosen: Sequence[ContainerState], everything: Iterable[ContainerState]
) -> tuple[ContainerState, ...]:
    """*chosen* and what says `restart: true` about a dependency on them, transitively."""
    services = {container.service for container in chosen}
    ordered = in_order(tuple(everything))
    for container in ordered:
        if any(edge.restart and edge.service in services for edge in edges_of(container)):
            services.add(container.service)
    return tuple(container for container in ordered if container.service in services)


def in_order(containers: Sequence[ContainerState]) -> tuple[ContainerState, ...]:
    """*containers*, each after those of the services that it depends on."""
    by_service = _by_service(containers)
    edges = {
        service: [
            edge.service
            for member in members
            for edge in edges_of(member)
            if edge.service in by_service and edge.service != service
        ]
        for service, members in by_service.items()
    }
    if not any(edges.values()):
        return tuple(containers)
    from orchestra.plan.order import topological

    return tuple(member for service in topological(edges) for member in by_service[service])


def resource_of(container: ContainerState) -> str:
    return f"Container {container.name}"


def _stop(
    builder: PlanBuilder[Frame], containers: Sequence[ContainerState], grace_s: float | None
) -> dict[str, int]:
    stopped: dict[str, int] = {}
    waiting: dict[str, list[int]] = {}  # service -> the stops of its dependents
    for container in reversed(in_order(containers)):
        if container.status not in ALIVE:
            continue
        request: Frame = {"type": "StopContainer", "id": container.id}
        if grace_s is not None:
            request["grace_s"] = grace_s
        key = stopped[container.id] = builder.add(
            Verb.STOP,
            resource_of(container),
            request=request,
            wants=waiting.get(container.service, ()),
        )
        for edge in edges_of(container):
            waiting.setdefault(edge.service, []).append(key)
    return stopped


def _ready(
    builder: PlanBuilder[Frame],
    container: ContainerState,
    condition: str,
    started: dict[str, int],
    waits: dict[tuple[str, str], int],
) -> list[int]:
    """The operation after which *container* fulfils *condition*; none when it does already."""
    start = started.get(container.id)
    if start is None and _fulfils(container, condition):
        return []
    if condition not in (_HEALTHY, _COMPLETED):
        return [] if start is None else [start]
    key = waits.get((container.id, condition))
    if key is None:
        completed = condition == _COMPLETED
        key = waits[container.id, condition] = builder.add(
            Verb.AWAIT_EXIT if completed else Verb.AWAIT_HEALTHY,
            resource_of(container),
            request={"type": "WaitExited" if completed else "WaitHealthy", "id": container.id},
            needs=[] if start is None else [start],
            must_succeed=completed,
        )
    return [key]


def _fulfils(container: ContainerState, condition: str) -> bool:
    if condition == _COMPLETED:
        return container.status == Status.EXITED and container.exit_code == 0
    healthy = condition != _HEALTHY or container.health in (Health.NONE, Health.HEALTHY)
    return container.status == Status.RUNNING and healthy


def _by_service(containers: Iterable[ContainerState]) -> dict[str, list[ContainerState]]:
    found: dict[str, list[ContainerState]] = {}
    for container in containers:
        found.setdefault(container.service, []).append(container)
    return found
