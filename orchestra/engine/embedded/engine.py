"""The embedded engine: which part answers which request, and the completions that are ready."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from orchestra.engine import base
from orchestra.engine.embedded import (
    attaching,
    joining,
    making,
    running,
    stopping,
    updating,
    waiting,
)
from orchestra.engine.embedded.autoremove import AutoRemover
from orchestra.engine.embedded.core import Reply
from orchestra.engine.embedded.restart import Backoff
from orchestra.errors import NotFound, OrchestraError, RuntimeFailure, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.engine.base import Completion, ObservedProject, Request
    from orchestra.engine.embedded.core import Container, Core


class EmbeddedEngine:
    """`engine.base.Engine` over namespaces and cgroups of this machine, for one project."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._auto_remover = AutoRemover(core)
        self._ready: deque[Completion] = deque()
        self._last_ticket = 0

    def submit(self, request: Request) -> int:
        self._last_ticket += 1
        self.begin(request, self._last_ticket, self._ready.append)
        return self._last_ticket

    def next_completion(self, timeout_s: float | None = None) -> Completion | None:
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._ready:
            remaining_s = None if deadline_s is None else deadline_s - time.monotonic()
            if remaining_s is not None and remaining_s <= 0:
                return None
            self._core.loop.run_once(remaining_s)
        return self._ready.popleft()

    def observe(self) -> ObservedProject:
        core = self._core
        return base.ObservedProject(
            containers=tuple(container.state for container in core.containers.values()),
            networks=core.drivers.networks.networks(core.project),
            volumes=core.drivers.volumes.volumes(core.project),
        )

    def close(self) -> None:
        """Stop watching; what runs goes on running."""
        self._core.exits.close()

    def begin(self, request: Request, ticket: int, deliver: Callable[[Completion], None]) -> None:
        """Begin *request*; *deliver* gets its one Completion, now or later."""
        reply = Reply(ticket, deliver)
        try:
            _dispatch(self._core, request, reply)
        except OrchestraError as exc:
            reply.fail(exc)
        except OSError as exc:
            place = f" {exc.filename}" if exc.filename else ""
            reply.fail(RuntimeFailure(f"{type(request).__name__}:{place} {exc.strerror or exc}"))


def _dispatch(core: Core, request: Request, reply: Reply) -> None:
    match request:
        case base.CreateContainer():
            making.create(core, request.spec)
            reply.succeed(warnings=core.drivers.cgroups.warnings(request.spec.resources))
        case base.RemoveContainer():
            container = core.containers.get(request.id)
            if container is None:
                reply.succeed()
            else:
                making.remove(core, container, request, reply)
        case base.CreateNetwork():
            subnet = core.drivers.networks.create_network(request.spec).subnet
            reply.succeed(detail=subnet, warnings=core.drivers.networks.warnings())
        case base.RemoveNetwork():
            core.drivers.networks.remove_network(request.name)
            reply.succeed()
        case base.CreateVolume():
            reply.succeed(detail=core.drivers.volumes.create(request.spec).mountpoint)
        case base.RemoveVolume():
            core.drivers.volumes.remove(request.name)
            reply.succeed()
        case _:
            _dispatch_to_container(core, request, reply)


def _dispatch_to_container(core: Core, request: Request, reply: Reply) -> None:
    handler = _HANDLERS.get(type(request))
    container_id = getattr(request, "id", "")
    if handler is None:
        raise Unsupported(
            f"the embedded engine does not know {type(request).__name__}",
            fix="upgrade orchestra: client and supervisor are of different versions",
        )
    try:
        container = core.find(container_id)
    except NotFound:
        if isinstance(request, base.StopContainer):  # stopping what is gone succeeds
            reply.succeed()
            return
        raise
    handler(core, container, request, reply)


def _start(core: Core, container: Container, _request: Request, reply: Reply) -> None:
    if not container.is_running and container.launching is None:
        container.backoff = Backoff()  # a start by hand begins anew, as Docker's does
        container.state = container.state._replace(restart_count=0)
    running.start(core, container, reply)


def _wait_healthy(
    _core: Core, container: Container, request: base.WaitHealthy, reply: Reply
) -> None:
    waiting.wait_healthy(container, reply, or_completed=request.or_completed)


def _wait_exited(_core: Core, container: Container, _request: Request, reply: Reply) -> None:
    waiting.wait_exited(container, reply)


_HANDLERS: dict[type[Request], Callable[..., None]] = {
    base.StartContainer: _start,
    base.StopContainer: stopping.stop,
    base.KillContainer: stopping.kill,
    base.RestartContainer: stopping.restart,
    base.PauseContainer: stopping.pause,
    base.UnpauseContainer: stopping.unpause,
    base.AttachInput: attaching.attach_input,
    base.RenameContainer: making.rename,
    base.UpdateContainer: updating.update,
    base.ConnectNetwork: joining.connect,
    base.DisconnectNetwork: joining.disconnect,
    base.WaitHealthy: _wait_healthy,
    base.WaitExited: _wait_exited,
}
"""Each takes (core, container, request, reply); the container exists."""
