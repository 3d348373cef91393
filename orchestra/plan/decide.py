"""What happens to each container: kept, started, recreated, created or removed, and why. Pure.

`reconcile` turns the decisions into operations.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.model.service import DependencyCondition
from orchestra.model.state import Status
from orchestra.named import NamedTuple
from orchestra.plan.mounts import mounted_images
from orchestra.plan.order import namespace_parents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from orchestra.model.service import Service
    from orchestra.model.state import ContainerState
    from orchestra.plan.desired import Desired
    from orchestra.plan.observed import Observed


class Recreate(Enum):
    """When an existing container is replaced by a new one."""

    DIVERGED = "diverged"
    FORCE = "force"
    NEVER = "never"


class Action(Enum):
    KEEP = "keep"
    START = "start"
    RESTART = "restart"
    RECREATE = "recreate"
    CREATE = "create"
    REMOVE = "remove"


class Decision(NamedTuple):
    """What happens to container *number* of *service*; *existing* is None for CREATE."""

    service: Service
    number: int
    action: Action
    cause: str = ""
    existing: ContainerState | None = None


class Policy(NamedTuple):
    """*targets* are the services that the user named; the others are their dependencies."""

    targets: frozenset[str]  # empty: all
    recreate: Recreate = Recreate.DIVERGED
    recreate_dependencies: Recreate = Recreate.DIVERGED

    def for_service(self, name: str) -> Recreate:
        if not self.targets or name in self.targets:
            return self.recreate
        return self.recreate_dependencies


_ACTING = (Action.START, Action.RESTART, Action.RECREATE, Action.CREATE)


def decide(
    desired: Desired,
    observed: Observed,
    policy: Policy,
    *,
    order: Iterable[Service],
    changed_networks: Collection[str],
) -> list[Decision]:
    """One decision per container, in dependency *order* and by number.

    *changed_networks* are full names of networks that must be made anew: what is on them too.
    """
    ordered = tuple(order)
    decisions: dict[str, list[Decision]] = {}
    recreated: set[str] = set()
    for service in ordered:
        check_names(service)
        judge = _Judge(desired, observed, policy.for_service(service.name), service)
        stale = [parent for parent in namespace_parents(service) if parent in recreated]
        made = _for_service(service, observed, judge, stale, changed_networks)
        decisions[service.name] = made
        if any(decision.action is Action.RECREATE for decision in made):
            recreated.add(service.name)
    _restart_dependents(ordered, decisions, recreated)
    _leave_completed(ordered, decisions)
    return [decision for service in ordered for decision in decisions[service.name]]


def check_names(service: Service) -> None:
    """Raises ConfigError for a fixed name that several replicas would share."""
    if service.container_name and service.replicas > 1:
        raise ConfigError(
            f'service "{service.name}" has the container_name "{service.container_name}"'
            f" and {service.replicas} replicas: container names must be unique",
            fix="remove container_name, or run one replica",
        ).at("services", service.name, "container_name")


class _Judge(NamedTuple):
    """Why a container of one service must be replaced."""

    desired: Desired
    observed: Observed
    recreate: Recreate
    service: Service

    def cause(
        self, container: ContainerState, stale: list[str], changed_networks: Collection[str]
    ) -> str:
        """The reason to recreate *container*, "" when it may stay."""
        name = self.service.name
        if self.recreate is Recreate.NEVER:
            return ""
        if self.recreate is Recreate.FORCE:
            return "recreation forced"
        if stale:
            return f"{stale[0]} is recreated"
        if container.config_hash != self.desired.hashes[name]:
            return "configuration changed"
        if container.image_id != self.desired.images[name].id:
            return "image changed"
        for reference in mounted_images(self.service):
            if self.desired.other_images[reference].id not in container.mounts:
                return f"image {reference}, which is mounted, changed"
        for endpoint in container.endpoints:
            if endpoint.network in changed_networks:
                return f"network {endpoint.network} changed"
        return ""


def _for_service(
    service: Service,
    observed: Observed,
    judge: _Judge,
    stale: list[str],
    changed_networks: Collection[str],
) -> list[Decision]:
    judged = [
        (container, judge.cause(container, stale, changed_networks))
        for container in observed.of_service(service.name)
    ]
    # what is outdated goes first when there are too many, then the highest numbers
    judged.sort(key=lambda pair: (pair[1] != "", pair[0].number))
    decisions = [
        _for_container(service, container, cause) for container, cause in judged[: service.replicas]
    ]
    decisions += [
        Decision(service, container.number, Action.REMOVE, "scale down", container)
        for container, _ in judged[service.replicas :]
    ]
    highest = max((container.number for container, _ in judged), default=0)
    decisions += [
        Decision(service, highest + position, Action.CREATE, "no container yet")
        for position in range(1, service.replicas - len(judged) + 1)
    ]
    decisions.sort(key=lambda decision: decision.number)
    return decisions


def _for_container(service: Service, container: ContainerState, cause: str) -> Decision:
    if cause:
        action = Action.RECREATE
    elif container.status in (Status.RUNNING, Status.RESTARTING):
        action = Action.KEEP
    elif container.status in (Status.DEAD, Status.REMOVING):
        action, cause = Action.RECREATE, f"it is {container.status}"
    else:
        action, cause = Action.START, f"it is {container.status}"
    return Decision(service, container.number, action, cause, container)


def _restart_dependents(
    ordered: tuple[Service, ...], decisions: dict[str, list[Decision]], recreated: set[str]
) -> None:
    """`depends_on: {db: {restart: true}}`: when db is recreated, its running dependents restart."""
    restarted = set(recreated)
    for service in ordered:
        causes = [e.service for e in service.depends_on if e.restart and e.service in restarted]
        if not causes:
            continue
        restarted.add(service.name)
        decisions[service.name] = [
            decision._replace(action=Action.RESTART, cause=f"{causes[0]} is recreated")
            if decision.action is Action.KEEP
            else decision
            for decision in decisions[service.name]
        ]


def _leave_completed(ordered: tuple[Service, ...], decisions: dict[str, list[Decision]]) -> None:
    """A one-shot service that has done its work runs again only for somebody who waits for it.

    Docker Compose runs it at each `up`; here an unchanged project stays untouched.
    """
    awaited: dict[str, list[str]] = {}
    for service in ordered:
        for edge in service.depends_on:
            if edge.condition is DependencyCondition.COMPLETED:
                awaited.setdefault(edge.service, []).append(service.name)
    for name in reversed([service.name for service in ordered if service.name in awaited]):
        if any(
            decision.action in _ACTING
            for dependent in awaited[name]
            for decision in decisions[dependent]
        ):
            continue
        decisions[name] = [
            decision._replace(action=Action.KEEP, cause="")
            if decision.action is Action.START and has_completed(decision.existing)
            else decision
            for decision in decisions[name]
        ]


def has_completed(container: ContainerState | None) -> bool:
    """Has its command ended with status 0?"""
    return container is not None and container.status == Status.EXITED and container.exit_code == 0
