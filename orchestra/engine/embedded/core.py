"""What the parts of the embedded engine share: its drivers, its containers, its event loop.

A `Container` is the mutable record of one container; everything durable of it is its `spec` and its
`state`, which `Core.save` writes before anybody is told. No decisions here.
"""

from __future__ import annotations

import errno
import logging
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

from orchestra.engine.base import Completion
from orchestra.engine.embedded.durable import SyncLater
from orchestra.engine.embedded.events import ContainerEvent
from orchestra.engine.embedded.restart import Backoff
from orchestra.engine.embedded.trash import Trash
from orchestra.errors import NotFound, OrchestraError
from orchestra.model.state import ContainerState, dump_state
from orchestra.named import NamedTuple
from orchestra.network.base import Allocation, EventLoop
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.cgroup.base import CgroupManager, CgroupScope
    from orchestra.engine.embedded.commands import RunningCommand
    from orchestra.engine.embedded.exits import ExitWatcher
    from orchestra.engine.embedded.health import HealthTrack
    from orchestra.engine.embedded.hooks import HookSequence
    from orchestra.engine.embedded.probing import Probe
    from orchestra.engine.embedded.pump import LogPump
    from orchestra.image.base import Snapshotter
    from orchestra.layout import Layout
    from orchestra.model.container import ContainerId, ContainerSpec, Hook
    from orchestra.model.rootfs import Rootfs
    from orchestra.network.base import NetworkDriver, Timer
    from orchestra.runtime.base import Launch, Launched
    from orchestra.runtime.cdi import CdiDevices
    from orchestra.volume.base import VolumeDriver


_BURIAL_DELAY_S = 0.005
_FULL_DISK_RETRY_S = 1.0

_LOG = logging.getLogger(__name__)


class RunnableLoop(EventLoop, Protocol):
    def run_once(self, timeout_s: float | None = None) -> None: ...


class Launching(Protocol):
    """A launch under way: *fileno* is readable when `advance` has something to do."""

    def fileno(self) -> int: ...

    def advance(self) -> bool:
        """True when `finish` will not wait."""
        ...

    def finish(self) -> Launched:
        """Raises LaunchFailed."""
        ...


class CommandStart(NamedTuple):
    """A command to be run in a running container: a healthcheck, a hook."""

    spec: ContainerSpec
    pid: int
    start_ticks: int
    command: Hook
    output: int  # the fd for its stdout and stderr
    cgroup: CgroupScope


class FdKeeper(Protocol):
    """Keeps fds open for us beyond our own death."""

    def park(self, key: str, fds: tuple[int, ...]) -> None: ...

    def forget(self, key: str) -> None: ...


class Drivers(Protocol):
    """The concrete classes, chosen by `wiring`; each is made when it is first asked for."""

    @property
    def layout(self) -> Layout: ...

    @property
    def cgroups(self) -> CgroupManager: ...

    @property
    def snapshots(self) -> Snapshotter: ...

    @property
    def networks(self) -> NetworkDriver: ...

    @property
    def volumes(self) -> VolumeDriver: ...

    def cdi_devices(self) -> CdiDevices:
        """The devices by name that this machine has now."""
        ...

    def begin_launch(self, plan: Launch) -> Launching:
        """Raises OrchestraError or OSError for what is wrong before any fork."""
        ...

    def start_command(self, start: CommandStart) -> tuple[int, int]:
        """Run it as a child of the caller: (pid, pidfd). Raises OrchestraError or OSError."""
        ...


class Reply:
    """The answer that a request still waits for; given once, later ones are ignored."""

    __slots__ = ("_deliver", "ticket")

    def __init__(self, ticket: int, deliver: Callable[[Completion], None]) -> None:
        self.ticket = ticket
        self._deliver: Callable[[Completion], None] | None = deliver

    def succeed(
        self,
        *,
        exit_code: int | None = None,
        detail: str = "",
        warnings: tuple[str, ...] = (),
        fds: tuple[int, ...] = (),
    ) -> None:
        self._give(
            Completion(
                ticket=self.ticket, exit_code=exit_code, detail=detail, warnings=warnings, fds=fds
            )
        )

    def fail(self, error: OrchestraError) -> None:
        self._give(Completion(ticket=self.ticket, error=error))

    def _give(self, completion: Completion) -> None:
        deliver, self._deliver = self._deliver, None
        if deliver is not None:
            deliver(completion)


class Container:
    """One container that exists, and what this process holds for it."""

    def __init__(self, spec: ContainerSpec, state: ContainerState) -> None:
        self.spec = spec
        self.state = state
        self.scope: CgroupScope | None = None
        self.pidfd = -1
        self.pump: LogPump | None = None
        self.stdin = -1  # the writing end of its stdin, until the first attached, if it ends then
        self.prepared: tuple[float, Rootfs] | None = None  # when (monotonic), by create
        self.launching: Launching | None = None
        self.launch_undo = ExitStack()
        self.finish_launch: Callable[[], None] = _nothing
        self.backoff = Backoff()
        self.restart_timer: Timer | None = None
        self.kill_timer: Timer | None = None
        self.removal_timer: Timer | None = None
        self.started_s = 0.0  # monotonic
        self.restart_requested = False  # a stop that is half of RestartContainer
        self.is_shutting_down = False  # stopped with the machine, not for good
        self.remove_request: Callable[[], None] | None = None
        self.hooks: HookSequence | None = None  # under way
        self.health: HealthTrack | None = None
        self.health_timer: Timer | None = None
        self.probe: Probe | None = None
        self.probe_output = b""
        self.start_replies: list[Reply] = []
        self.stop_replies: list[Reply] = []
        self.exit_replies: list[Reply] = []
        self.health_replies: list[Reply] = []
        self.ready_replies: list[Reply] = []

    @property
    def id(self) -> ContainerId:
        return self.spec.id

    @property
    def allocation(self) -> Allocation:
        return Allocation(self.state.endpoints, self.state.ports)

    @property
    def is_running(self) -> bool:
        """Has it a process? A paused one has."""
        return self.state.pid != 0


def _nothing() -> None:
    return


class Core:
    """One project's engine: what is there, and how its parts reach it."""

    def __init__(
        self,
        project: str,
        drivers: Drivers,
        loop: RunnableLoop,
        exits: ExitWatcher,
        keeper: FdKeeper,
    ) -> None:
        self.project = project
        self.drivers = drivers
        self.loop = loop
        self.exits = exits
        self.keeper = keeper
        self.containers: dict[str, Container] = {}
        self.durable = SyncLater(loop)
        self.trash = Trash(drivers, project, loop)
        self.listeners: list[Callable[[ContainerEvent], None]] = []
        self.commands: set[RunningCommand] = set()  # our children, cancelled ones included
        self._dying: list[CgroupScope] = []
        self._unwritten: set[str] = set()  # containers whose state did not fit on the disk

    @property
    def layout(self) -> Layout:
        return self.drivers.layout

    def find(self, container_id: str) -> Container:
        """Raises NotFound."""
        container = self.containers.get(container_id)
        if container is None:
            raise NotFound(
                f"no container {container_id[:12]} in project {self.project}",
                fix="see which exist with: orchestra ps -a",
            )
        return container

    def set_state(self, container: Container, state: ContainerState) -> None:
        """Make *state* the container's, in its file first.

        On a full disk the file follows when there is room: what runs is to go on, and to be
        stopped and removed. For a container that is just being made it raises OSError.
        Not synced to the disk: after a power cut nothing runs any more, and a damaged file is
        made good from spec.json, which is synced.
        """
        path = self.layout.state_json(self.project, container.id)
        try:
            write_atomically(path, dump_state(state), durable=False)
        except OSError as exc:
            full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
            if not full or container.id not in self.containers:
                raise
            if not self._unwritten:
                _LOG.warning("%s: its state is kept in memory: %s", state.name, exc)
                self.loop.call_later(_FULL_DISK_RETRY_S, self._write_again)
            self._unwritten.add(container.id)
        container.state = state

    def _write_again(self) -> None:
        unwritten, self._unwritten = self._unwritten, set()
        for container in [self.containers[each] for each in unwritten if each in self.containers]:
            self.set_state(container, container.state)

    def destroy_scope(self, container: Container) -> None:
        """Remove the container's cgroup in a moment.

        The reaper notes an exit before it reaps, so the dead are still in it when we hear of them.
        """
        scope, container.scope = container.scope, None
        if scope is not None:
            if not self._dying:
                self.loop.call_later(_BURIAL_DELAY_S, self.bury)
            self._dying.append(scope)

    @property
    def is_tidying(self) -> bool:
        """Is something of what was done still to be finished, though nobody waits for it?"""
        return bool(
            self._dying or self._unwritten or not self.trash.is_empty or not self.durable.is_done
        )

    def bury(self) -> None:
        """Remove the cgroups of what has ended."""
        dying, self._dying = self._dying, []
        for scope in dying:
            scope.destroy()

    def cgroup_name(self, container: Container) -> str:
        return f"{self.project}/{container.id}"

    def emit(
        self,
        container: Container,
        action: str,
        *,
        exit_code: int | None = None,
        restarting: bool = False,
        attributes: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Tell all listeners that *action* has happened."""
        event = ContainerEvent(
            time_ns=time.time_ns(),
            action=action,
            id=container.id,
            name=container.state.name,
            service=container.spec.service,
            image=container.spec.image,
            exit_code=exit_code,
            restarting=restarting,
            oneoff=container.spec.oneoff,
            attributes=(*container.spec.labels, *attributes),
        )
        for listener in tuple(self.listeners):
            listener(event)
