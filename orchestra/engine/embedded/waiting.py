"""Requests that wait for a container: until it is healthy, until it has exited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import OrchestraError, RuntimeFailure
from orchestra.model.state import Health, Status

if TYPE_CHECKING:
    from orchestra.engine.embedded.core import Container, Reply

_ENDED = frozenset({Status.EXITED, Status.DEAD, Status.REMOVING})


def wait_healthy(container: Container, reply: Reply, *, or_completed: bool) -> None:
    (container.ready_replies if or_completed else container.health_replies).append(reply)
    settle(container)


def wait_exited(container: Container, reply: Reply) -> None:
    container.exit_replies.append(reply)
    settle(container)


def settle(container: Container) -> None:
    """Answer what can be answered now; called after each change of the container's state."""
    state = container.state
    if state.status in _ENDED:
        for reply in _taken(container.exit_replies):
            reply.succeed(exit_code=state.exit_code)
    if state.status == Status.EXITED and state.exit_code == 0:
        for reply in _taken(container.ready_replies):
            reply.succeed(detail="completed")
    if container.health_replies or container.ready_replies:
        outcome = _health_outcome(container)
        if outcome is None:
            return
        for reply in _taken(container.health_replies) + _taken(container.ready_replies):
            if isinstance(outcome, OrchestraError):
                reply.fail(outcome)
            else:
                reply.succeed(detail=outcome)


def _health_outcome(container: Container) -> str | OrchestraError | None:
    """What those who wait for health are told; None while it is open."""
    state = container.state
    if state.status in _ENDED or (
        state.status == Status.CREATED and container.launching is None and state.error
    ):
        return RuntimeFailure(
            f"container {state.name} exited ({state.exit_code})",
            fix=f"see its output: orchestra logs {state.service}",
        )
    if state.status != Status.RUNNING:
        return None
    if state.health == Health.NONE:
        return "running"
    if state.health == Health.HEALTHY:
        return "healthy"
    if state.health == Health.UNHEALTHY:
        output = container.probe_output.decode(errors="replace").strip()
        said = f"; its healthcheck last said: {output}" if output else ""
        return RuntimeFailure(
            f"container {state.name} is unhealthy{said}",
            fix=f"see its output: orchestra logs {state.service}",
        )
    return None


def _taken(replies: list[Reply]) -> list[Reply]:
    taken, replies[:] = replies[:], []
    return taken
