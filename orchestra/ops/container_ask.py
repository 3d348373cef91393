"""One request for each of several containers, of whatever projects: `container stop`, `rm` …

No project's lock is taken: the supervisor settles what comes at once, and `kill` must not wait for
a `stop` that is still giving its container time.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.engine import base as engine
from orchestra.errors import Conflict, OrchestraError
from orchestra.model.container import ContainerId
from orchestra.model.state import ALIVE, Status
from orchestra.named import NamedTuple
from orchestra.ops.container_find import find_container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host


class Answer(NamedTuple):
    """What became of the container that the user called *asked*."""

    asked: str
    error: OrchestraError | None = None
    exit_code: int = 0  # WaitExited
    warnings: tuple[str, ...] = ()


def ask_each(
    host: Host,
    names: Iterable[str],
    request: Callable[[ContainerState], engine.Request | None],
) -> Iterator[Answer]:
    """Put *request* to all of them at once; the answers in the order of *names*.

    *request* may say None, when there is nothing to do, and raise what is wrong with a container.
    """
    answers: dict[int, Answer] = {}
    tickets: dict[str, dict[int, tuple[int, str]]] = {}  # project -> ticket -> (position, name)
    asked = list(names)
    with ExitStack() as undo:
        engines: dict[str, engine.Engine] = {}
        for position, name in enumerate(asked):
            try:
                state = find_container(host.layout, name)
                wanted = request(state)
                if wanted is None:
                    answers[position] = Answer(name, exit_code=state.exit_code)
                    continue
                if state.project not in engines:
                    engines[state.project] = host.open_engine(state.project)
                    undo.callback(engines[state.project].close)
                ticket = engines[state.project].submit(wanted)
                tickets.setdefault(state.project, {})[ticket] = position, name
            except OrchestraError as exc:
                answers[position] = Answer(name, exc)
        for project, waiting in tickets.items():
            _collect(engines[project], waiting, answers)
        for position in range(len(asked)):
            yield answers[position]


def _collect(
    asked: engine.Engine, waiting: dict[int, tuple[int, str]], answers: dict[int, Answer]
) -> None:
    while waiting:
        completion = asked.next_completion()
        if completion is not None and completion.ticket in waiting:
            position, name = waiting.pop(completion.ticket)
            code, warnings = completion.exit_code or 0, completion.warnings
            answers[position] = Answer(name, completion.error, code, warnings)


# -- the requests -------------------------------------------------------------------------------
def start(state: ContainerState) -> engine.Request | None:
    """Raises Conflict for a paused container."""
    if state.status == Status.PAUSED:
        raise Conflict(
            "cannot start a paused container, try unpause instead",
            fix=f"`orchestra container unpause {state.name}`",
        )
    return None if state.status in ALIVE else engine.StartContainer(id=ContainerId(state.id))


def stop(signal: str, grace_s: float | None) -> Callable[[ContainerState], engine.Request | None]:
    """*signal* "" and *grace_s* None are the container's own."""

    def request(state: ContainerState) -> engine.Request | None:
        if state.status not in ALIVE:
            return None
        return engine.StopContainer(id=ContainerId(state.id), signal=signal, grace_s=grace_s)

    return request


def restart(grace_s: float | None) -> Callable[[ContainerState], engine.Request | None]:
    return lambda state: engine.RestartContainer(id=ContainerId(state.id), grace_s=grace_s)


def kill(signal: str) -> Callable[[ContainerState], engine.Request | None]:
    """Raises Conflict for a container that does not run."""

    def request(state: ContainerState) -> engine.Request | None:
        if state.status not in ALIVE:
            raise Conflict(
                f"Cannot kill container: {state.name}: container {state.id} is not running",
                fix="`orchestra container ps` lists those that run",
            )
        return engine.KillContainer(id=ContainerId(state.id), signal=signal)

    return request


def pause(state: ContainerState) -> engine.Request | None:
    """Raises Conflict for a container that does not run, or is paused."""
    if state.status == Status.PAUSED:
        raise Conflict(f"container {state.name} is already paused")
    if state.status not in ALIVE:
        raise Conflict(f"container {state.name} is not running")
    return engine.PauseContainer(id=ContainerId(state.id))


def unpause(state: ContainerState) -> engine.Request | None:
    """Raises Conflict for a container that is not paused."""
    if state.status != Status.PAUSED:
        raise Conflict(f"container {state.name} is not paused")
    return engine.UnpauseContainer(id=ContainerId(state.id))


def remove(*, force: bool, volumes: bool) -> Callable[[ContainerState], engine.Request | None]:
    """Raises Conflict for a running container without *force*."""

    def request(state: ContainerState) -> engine.Request | None:
        if state.status in ALIVE and not force:
            raise Conflict(
                f"cannot remove container {state.name}: it is {state.status}",
                fix="stop the container before removing it, or use --force",
            )
        return engine.RemoveContainer(id=ContainerId(state.id), force=force, volumes=volumes)

    return request


def await_exit(state: ContainerState) -> engine.Request | None:
    return engine.WaitExited(id=ContainerId(state.id)) if state.status in ALIVE else None
