"""What the start of a service waits for: `depends_on` conditions as wait operations. Pure.

A wait is planned when a start needs it and the condition does not hold already, once per container
and condition: so an unchanged project waits for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine import base as engine
from orchestra.model.service import DependencyCondition
from orchestra.model.state import Health, Status
from orchestra.named import NamedTuple
from orchestra.plan.decide import has_completed
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from orchestra.model.container import ContainerId
    from orchestra.model.state import ContainerState
    from orchestra.plan.graph import PlanBuilder


class Awaited(NamedTuple):
    """A container that somebody depends on, and its StartContainer, if one is planned."""

    id: ContainerId
    resource: str
    state: ContainerState | None  # None: it is made by this plan
    started: int | None


class Waits:
    """The waits of one plan, added to *builder* on demand."""

    def __init__(self, builder: PlanBuilder[engine.Request]) -> None:
        self._builder = builder
        self._keys: dict[tuple[str, DependencyCondition], int] = {}

    def until(self, condition: DependencyCondition, container: Awaited) -> int | None:
        """The operation after which *condition* holds for *container*; None when it does now."""
        if condition is DependencyCondition.STARTED:
            return container.started
        if container.started is None and holds(condition, container.state):
            return None
        key = self._keys.get((container.id, condition))
        if key is None:
            key = self._keys[container.id, condition] = self._add(condition, container)
        return key

    def _add(self, condition: DependencyCondition, container: Awaited) -> int:
        needs = [] if container.started is None else [container.started]
        if condition is DependencyCondition.COMPLETED:
            return self._builder.add(
                Verb.AWAIT_EXIT,
                container.resource,
                request=engine.WaitExited(id=container.id),
                needs=needs,
                must_succeed=True,
            )
        return self._builder.add(
            Verb.AWAIT_HEALTHY,
            container.resource,
            request=engine.WaitHealthy(id=container.id),
            needs=needs,
        )


def holds(condition: DependencyCondition, container: ContainerState | None) -> bool:
    """Does a container that is not about to be started fulfil *condition* now?"""
    if condition is DependencyCondition.COMPLETED:
        return has_completed(container)
    return (
        container is not None
        and container.status == Status.RUNNING
        and container.health in (Health.HEALTHY, Health.NONE)
    )
