"""FakeEngine: an engine in memory, for tests. It passes tests/conformance/engine_contract.py.

Time is simulated: when a caller waits and nothing else is left to answer, the clock jumps to the
next event (an exit, the first verdict of a healthcheck). What containers do is scripted by service.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Any

from orchestra.engine import base
from orchestra.errors import (
    Conflict,
    EngineUnavailable,
    LaunchFailed,
    NotFound,
    OrchestraError,
    RuntimeFailure,
)
from orchestra.model.container import MountKind
from orchestra.model.network import NetworkState, VolumeState
from orchestra.model.state import ALIVE, ContainerState, EndpointState, Health, PortState, Status
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.model.container import ContainerSpec

_SECOND_NS = 1_000_000_000


class Behaviour(NamedTuple):
    """What the containers of a service do once started."""

    exit_code: int | None = None  # None: they run until they are stopped
    runs_s: float = 0.1
    health: str = Health.HEALTHY  # the verdict of the healthcheck, if there is one
    verdict_s: float = 1.0
    launch_error: LaunchFailed | None = None
    ignores_stop_signal: bool = False  # SIGKILL has to end them


class FakeEngine:
    """Keeps containers, networks and volumes of one project in dictionaries."""

    def __init__(
        self, behaviours: Mapping[str, Behaviour] | None = None, *, now_ns: int = _SECOND_NS
    ) -> None:
        self.behaviours = dict(behaviours or {})
        self.requests: list[base.Request] = []  # everything that was submitted
        self.now_ns = now_ns
        self._specs: dict[str, ContainerSpec] = {}
        self._states: dict[str, ContainerState] = {}
        self._networks: dict[str, NetworkState] = {}
        self._volumes: dict[str, VolumeState] = {}
        self._answers: deque[base.Completion] = deque()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._waiting: list[tuple[int, base.WaitHealthy | base.WaitExited]] = []
        self._starts: dict[str, int] = {}  # container -> how often it was started
        self._sequence = 0
        self._ticket = 0

    # -- the contract -------------------------------------------------------------------------
    def submit(self, request: base.Request) -> int:
        self._ticket += 1
        self.requests.append(request)
        try:
            answer = self._obey(self._ticket, request)
        except OrchestraError as error:
            answer = base.Completion(ticket=self._ticket, error=error)
        if answer is not None:
            self._answers.append(answer)
        self._settle()
        return self._ticket

    def next_completion(self, timeout_s: float | None = None) -> base.Completion | None:
        limit = None if timeout_s is None else self.now_ns + int(timeout_s * _SECOND_NS)
        while not self._answers:
            if not self._events or (limit is not None and self._events[0][0] > limit):
                if limit is None:
                    raise EngineUnavailable("nothing is under way that could answer")
                self.now_ns = limit
                return None
            self._advance()
        return self._answers.popleft()

    def observe(self) -> base.ObservedProject:
        return base.ObservedProject(
            containers=tuple(self._states.values()),
            networks=tuple(self._networks.values()),
            volumes=tuple(self._volumes.values()),
        )

    def close(self) -> None:
        """Nothing to let go of."""

    # -- time ---------------------------------------------------------------------------------
    def _advance(self) -> None:
        self.now_ns, _, event = heapq.heappop(self._events)
        event()
        self._settle()

    def _after(self, delay_s: float, event: Callable[[], None]) -> None:
        self._sequence += 1
        at = self.now_ns + int(delay_s * _SECOND_NS)
        heapq.heappush(self._events, (at, self._sequence, event))

    def _settle(self) -> None:
        """Answer the waits whose event has come."""
        still: list[tuple[int, base.WaitHealthy | base.WaitExited]] = []
        for ticket, request in self._waiting:
            answer = self._wait_answer(ticket, request)
            if answer is None:
                still.append((ticket, request))
            else:
                self._answers.append(answer)
        self._waiting = still

    def _wait_answer(
        self, ticket: int, request: base.WaitHealthy | base.WaitExited
    ) -> base.Completion | None:
        state = self._states.get(request.id)
        if state is None:
            return base.Completion(ticket=ticket, error=_no_container(request.id))
        if isinstance(request, base.WaitExited):
            if state.status in ALIVE or state.status == Status.CREATED:
                return None
            return base.Completion(ticket=ticket, exit_code=state.exit_code)
        if state.status == Status.EXITED:
            if request.or_completed and state.exit_code == 0:
                return base.Completion(ticket=ticket)
            what = f"container {state.name} exited ({state.exit_code})"
            return base.Completion(ticket=ticket, error=RuntimeFailure(what))
        if state.health == Health.UNHEALTHY:
            error = RuntimeFailure(f"container {state.name} is unhealthy")
            return base.Completion(ticket=ticket, error=error)
        if state.status == Status.RUNNING and state.health in (Health.NONE, Health.HEALTHY):
            return base.Completion(ticket=ticket)
        return None

    # -- requests -----------------------------------------------------------------------------
    def _obey(self, ticket: int, request: base.Request) -> base.Completion | None:
        if isinstance(request, base.WaitHealthy | base.WaitExited):
            self._waiting.append((ticket, request))
            return None
        _METHODS[type(request)](self, request)
        return base.Completion(ticket=ticket)

    def _create_container(self, request: base.CreateContainer) -> None:
        spec = request.spec
        if spec.id in self._states:
            return
        for state in self._states.values():
            if state.name == spec.name:
                raise Conflict(
                    f'the container name "{spec.name}" is in use', fix="remove that container"
                )
        for endpoint in spec.endpoints:
            if endpoint.network not in self._networks:
                raise NotFound(f'no such network: "{endpoint.network}"')
        for mount in spec.mounts:
            if mount.kind is MountKind.VOLUME and mount.source not in self._volumes:
                raise NotFound(f'no such volume: "{mount.source}"')
        self._reserve_ports(spec)
        self._specs[spec.id] = spec
        self._states[spec.id] = ContainerState(
            id=spec.id,
            name=spec.name,
            project=spec.project,
            service=spec.service,
            number=spec.number,
            image=spec.image,
            image_id=spec.image_id,
            config_hash=spec.config_hash,
            command=spec.process.argv,
            created_ns=self.now_ns,
            oneoff=spec.oneoff,
            labels=spec.labels,
            ports=tuple(
                PortState(port.container_port, port.protocol, port.host_ip, port.host_port)
                for port in spec.ports
            ),
            endpoints=tuple(
                EndpointState(network=e.network, aliases=e.aliases) for e in spec.endpoints
            ),
            mounts=tuple(mount.source for mount in spec.mounts if mount.source),
            tty=spec.process.tty,
        )

    def _reserve_ports(self, spec: ContainerSpec) -> None:
        taken = {
            (port.host_port, port.protocol)
            for state in self._states.values()
            for port in state.ports
            if port.host_port
        }
        for port in spec.ports:
            if (port.host_port, port.protocol) in taken:
                raise Conflict(
                    f"port {port.host_port}/{port.protocol} is in use",
                    fix="publish another port, or stop what uses it",
                )

    def _start_container(self, request: base.StartContainer) -> None:
        state = self._state(request.id)
        if state.status in ALIVE:
            return
        spec = self._specs[request.id]
        behaviour = self.behaviours.get(spec.service, Behaviour())
        if behaviour.launch_error is not None:
            code = behaviour.launch_error.exit_code
            self._change(request.id, status=Status.EXITED, exit_code=code)
            raise behaviour.launch_error
        run = self._starts[request.id] = self._starts.get(request.id, 0) + 1
        self._change(
            request.id,
            status=Status.RUNNING,
            pid=1000 + self._ticket,
            start_ticks=self._ticket,
            started_ns=self.now_ns,
            finished_ns=0,
            exit_code=0,
            stopped_by_user=False,
            health=Health.STARTING if spec.healthcheck else Health.NONE,
        )
        if spec.healthcheck:
            self._after(behaviour.verdict_s, lambda: self._judge(request.id, run, behaviour))
        if behaviour.exit_code is not None:
            code = behaviour.exit_code
            self._after(behaviour.runs_s, lambda: self._exit(request.id, code, run=run))

    def _judge(self, identifier: str, run: int, behaviour: Behaviour) -> None:
        if self._is_run(identifier, run):
            self._change(identifier, health=behaviour.health)

    def _exit(self, identifier: str, code: int, *, run: int) -> None:
        if self._is_run(identifier, run):
            self._end(identifier, code)

    def _is_run(self, identifier: str, run: int) -> bool:
        state = self._states.get(identifier)
        return state is not None and state.status in ALIVE and self._starts.get(identifier) == run

    def _end(self, identifier: str, code: int, *, by_user: bool = False) -> None:
        self._change(
            identifier,
            status=Status.EXITED,
            exit_code=code,
            pid=0,
            start_ticks=0,
            finished_ns=self.now_ns,
            health=Health.NONE,
            stopped_by_user=by_user,
        )

    def _stop(self, request: base.StopContainer) -> None:
        state = self._state(request.id)
        if state.status in ALIVE:
            stubborn = self.behaviours.get(state.service, Behaviour()).ignores_stop_signal
            self._end(request.id, 137 if stubborn else 143, by_user=True)

    def _kill(self, request: base.KillContainer) -> None:
        state = self._state(request.id)
        if state.status not in ALIVE:
            raise Conflict(f"container {state.name} is not running")
        if request.signal in ("SIGKILL", "KILL", "9"):
            self._end(request.id, 137, by_user=True)
        elif not self.behaviours.get(state.service, Behaviour()).ignores_stop_signal:
            self._end(request.id, 143, by_user=True)

    def _attach_input(self, request: base.AttachInput) -> None:
        """There is nothing to write into."""
        state = self._state(request.id)
        if state.status not in ALIVE:
            raise Conflict(f"container {state.name} is not running")

    def _restart(self, request: base.RestartContainer) -> None:
        if self._state(request.id).status in ALIVE:
            self._end(request.id, 143, by_user=True)
        self._start_container(base.StartContainer(id=request.id))

    def _pause(self, request: base.PauseContainer) -> None:
        state = self._state(request.id)
        if state.status != Status.RUNNING:
            raise Conflict(f"container {state.name} is not running")
        self._change(request.id, status=Status.PAUSED)

    def _unpause(self, request: base.UnpauseContainer) -> None:
        state = self._state(request.id)
        if state.status != Status.PAUSED:
            raise Conflict(f"container {state.name} is not paused")
        self._change(request.id, status=Status.RUNNING)

    def _remove_container(self, request: base.RemoveContainer) -> None:
        state = self._states.get(request.id)
        if state is None:
            return
        if state.status in ALIVE and not request.force:
            raise Conflict(f"container {state.name} is running", fix="stop it first")
        spec = self._specs.pop(request.id)
        del self._states[request.id]
        if request.volumes:
            for mount in spec.mounts:
                if mount.anonymous and not self._is_mounted(mount.source):
                    self._volumes.pop(mount.source, None)

    def _rename(self, request: base.RenameContainer) -> None:
        self._state(request.id)
        self._change(request.id, name=request.name)

    def _update(self, request: base.UpdateContainer) -> None:
        self._state(request.id)
        spec = self._specs[request.id]
        restart = request.restart or spec.restart
        changed = msgspec.structs.replace(spec, resources=request.resources, restart=restart)
        self._specs[request.id] = changed

    def _create_network(self, request: base.CreateNetwork) -> None:
        spec = request.spec
        known = self._networks.get(spec.name)
        if spec.external and known is None:
            raise NotFound(f'external network "{spec.name}" does not exist', fix="create it")
        if known is not None and not spec.external and known.spec != spec:
            raise Conflict(f'network "{spec.name}" exists with another configuration')
        number = len(self._networks)
        state = NetworkState(
            spec=spec,
            subnet=f"10.201.{number}.0/24",
            gateway=f"10.201.{number}.1",
            bridge=f"br-{number}",
        )
        self._networks.setdefault(spec.name, state)

    def _remove_network(self, request: base.RemoveNetwork) -> None:
        for state in self._states.values():
            if any(endpoint.network == request.name for endpoint in state.endpoints):
                raise Conflict(f'network "{request.name}" is used by container {state.name}')
        self._networks.pop(request.name, None)

    def _connect_network(self, request: base.ConnectNetwork) -> None:
        state = self._state(request.id)
        network = request.endpoint.network
        if network not in self._networks:
            raise NotFound(f"network {network} does not exist", fix="create it first")
        if all(endpoint.network != network for endpoint in state.endpoints):
            self._change(request.id, endpoints=(*state.endpoints, EndpointState(network)))

    def _disconnect_network(self, request: base.DisconnectNetwork) -> None:
        left = (e for e in self._state(request.id).endpoints if e.network != request.network)
        self._change(request.id, endpoints=tuple(left))

    def _create_volume(self, request: base.CreateVolume) -> None:
        spec = request.spec
        if spec.external and spec.name not in self._volumes:
            raise NotFound(f'external volume "{spec.name}" does not exist', fix="create it")
        state = VolumeState(
            spec=spec, mountpoint=f"/fake/{spec.name}/_data", created_ns=self.now_ns
        )
        self._volumes.setdefault(spec.name, state)

    def _remove_volume(self, request: base.RemoveVolume) -> None:
        if self._is_mounted(request.name):
            raise Conflict(f'volume "{request.name}" is in use')
        self._volumes.pop(request.name, None)

    # -- the dictionaries ---------------------------------------------------------------------
    def _is_mounted(self, volume: str) -> bool:
        return any(volume in state.mounts for state in self._states.values())

    def _state(self, identifier: str) -> ContainerState:
        state = self._states.get(identifier)
        if state is None:
            raise _no_container(identifier)
        return state

    def _change(self, identifier: str, **fields: object) -> None:
        self._states[identifier] = self._states[identifier]._replace(**fields)  # type: ignore[arg-type]


def _no_container(identifier: str) -> NotFound:
    return NotFound(f"no such container: {identifier[:12]}")


_METHODS: dict[type[base.Request], Callable[[FakeEngine, Any], None]] = {
    base.CreateContainer: FakeEngine._create_container,
    base.StartContainer: FakeEngine._start_container,
    base.StopContainer: FakeEngine._stop,
    base.KillContainer: FakeEngine._kill,
    base.AttachInput: FakeEngine._attach_input,
    base.RestartContainer: FakeEngine._restart,
    base.PauseContainer: FakeEngine._pause,
    base.UnpauseContainer: FakeEngine._unpause,
    base.RemoveContainer: FakeEngine._remove_container,
    base.RenameContainer: FakeEngine._rename,
    base.UpdateContainer: FakeEngine._update,
    base.CreateNetwork: FakeEngine._create_network,
    base.RemoveNetwork: FakeEngine._remove_network,
    base.ConnectNetwork: FakeEngine._connect_network,
    base.DisconnectNetwork: FakeEngine._disconnect_network,
    base.CreateVolume: FakeEngine._create_volume,
    base.RemoveVolume: FakeEngine._remove_volume,
}
