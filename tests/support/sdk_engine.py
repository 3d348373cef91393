"""`orchestra.engine.base.Engine` over a Docker Engine, through Docker's SDK for Python.

For the contract suite: what the suite says of engines is then known to be true of Docker. What
Docker knows otherwise than by the names of our requests (ids, whose a network is, that a container
was stopped on purpose) is kept in labels and in this object.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import docker
import msgspec
from docker.errors import APIError

from orchestra.engine import base
from orchestra.errors import Conflict, LaunchFailed, NotFound, OrchestraError, RuntimeFailure
from orchestra.linux.procfs import start_ticks
from orchestra.model.network import NetworkSpec, NetworkState, VolumeSpec, VolumeState
from orchestra.model.state import ContainerState, EndpointState, Health, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import ContainerSpec, Endpoint

_Spec = TypeVar("_Spec", NetworkSpec, VolumeSpec)

_ID, _SPEC = "contract.id", "contract.spec"
_POLL_S = 0.02
_ERRORS: dict[int, type[OrchestraError]] = {403: Conflict, 404: NotFound, 409: Conflict}


class SdkEngine:
    """All that the Docker Engine at *host* has which bears the labels of this module."""

    def __init__(self, host: str) -> None:
        self._api = docker.APIClient(base_url=host, timeout=30)
        self._ready: deque[base.Completion] = deque()
        self._waiting: list[tuple[int, base.WaitHealthy | base.WaitExited]] = []
        self._stopped: set[str] = set()
        self._tickets = 0

    # -- the protocol -------------------------------------------------------------------------
    def submit(self, request: base.Request) -> int:
        self._tickets += 1
        ticket = self._tickets
        if isinstance(request, base.WaitHealthy | base.WaitExited):
            self._waiting.append((ticket, request))
            return ticket
        try:
            _METHODS[type(request)](self, request)
        except APIError as exc:
            self._ready.append(base.Completion(ticket=ticket, error=_error(exc)))
        except OrchestraError as exc:
            self._ready.append(base.Completion(ticket=ticket, error=exc))
        else:
            self._ready.append(base.Completion(ticket=ticket))
        return ticket

    def next_completion(self, timeout_s: float | None = None) -> base.Completion | None:
        deadline_s = time.monotonic() + (30.0 if timeout_s is None else timeout_s)
        while not self._ready:
            self._look()
            if self._ready:
                break
            if time.monotonic() > deadline_s:
                assert timeout_s is not None, "Docker has not answered for half a minute"
                return None
            time.sleep(_POLL_S)
        return self._ready.popleft()

    def observe(self) -> base.ObservedProject:
        listed = self._api.containers(all=True, filters={"label": _ID})
        states = [self._state(self._api.inspect_container(each["Id"])) for each in listed]
        networks = self._api.networks(filters={"label": _SPEC})
        volumes = self._api.volumes(filters={"label": _SPEC})["Volumes"] or []
        return base.ObservedProject(
            containers=tuple(states),
            networks=tuple(_network_state(each) for each in networks),
            volumes=tuple(_volume_state(each) for each in sorted(volumes, key=_name)),
        )

    def close(self) -> None:
        self._api.close()

    # -- waiting ------------------------------------------------------------------------------
    def _look(self) -> None:
        """Answer the waits whose event has come."""
        still = []
        for ticket, request in self._waiting:
            try:
                told = self._api.inspect_container(self._docker_id(request.id))
            except OrchestraError as exc:
                self._ready.append(base.Completion(ticket=ticket, error=exc))
                continue
            answer = _answer(ticket, request, self._state(told))
            if answer is None:
                still.append((ticket, request))
            else:
                self._ready.append(answer)
        self._waiting = still

    # -- containers ---------------------------------------------------------------------------
    def _docker_id(self, identifier: str) -> str:
        found = self._api.containers(all=True, filters={"label": f"{_ID}={identifier}"})
        if not found:
            raise NotFound(f"no container {identifier}")
        return str(found[0]["Id"])

    def _create(self, request: base.CreateContainer) -> None:
        spec = request.spec
        first = spec.endpoints[0].network if spec.endpoints else "none"
        made = self._api.create_container(
            spec.image,
            list(spec.process.argv),
            name=spec.name,
            labels={_ID: spec.id, "contract.service": spec.service},
            healthcheck=_healthcheck(spec),
            stop_timeout=int(spec.stop_grace_s),
            host_config=self._api.create_host_config(
                network_mode=first,
                binds={mount.source: {"bind": mount.target, "mode": "rw"} for mount in spec.mounts},
            ),
            networking_config=self._networking(spec.endpoints[0]) if spec.endpoints else None,
        )
        for endpoint in spec.endpoints[1:]:
            self._connect_to(made["Id"], endpoint)

    def _networking(self, endpoint: Endpoint) -> dict[str, Any]:
        config = self._api.create_endpoint_config(aliases=list(endpoint.aliases))
        return dict(self._api.create_networking_config({endpoint.network: config}))

    def _start(self, request: base.StartContainer) -> None:
        identifier = self._docker_id(request.id)
        self._stopped.discard(request.id)
        try:
            self._api.start(identifier)
        except APIError as exc:
            text = str(exc.explanation)
            if "no such file" in text or "not found" in text:
                raise LaunchFailed(text, exit_code=127) from exc
            raise

    def _stop(self, request: base.StopContainer) -> None:
        try:
            identifier = self._docker_id(request.id)
        except NotFound:
            return
        self._api.stop(identifier, timeout=None if request.grace_s is None else 0)
        self._stopped.add(request.id)

    def _kill(self, request: base.KillContainer) -> None:
        self._api.kill(self._docker_id(request.id), request.signal)

    def _restart(self, request: base.RestartContainer) -> None:
        self._api.restart(self._docker_id(request.id), timeout=0)

    def _pause(self, request: base.PauseContainer) -> None:
        self._api.pause(self._docker_id(request.id))

    def _unpause(self, request: base.UnpauseContainer) -> None:
        identifier = self._docker_id(request.id)
        if not self._api.inspect_container(identifier)["State"]["Paused"]:
            # Docker says so itself, but with the status of a fault of its own.
            with_fault: APIError | None = None
            try:
                self._api.unpause(identifier)
            except APIError as exc:
                with_fault = exc
            assert with_fault is not None, "Docker unpaused what is not paused"
            raise Conflict(str(with_fault.explanation))
        self._api.unpause(identifier)

    def _attach_input(self, request: base.AttachInput) -> None:
        told = self._api.inspect_container(self._docker_id(request.id))
        if not told["State"]["Running"]:
            raise Conflict(f"container {told['Name']} is not running")
        assert not told["Config"]["OpenStdin"]

    def _remove(self, request: base.RemoveContainer) -> None:
        try:
            identifier = self._docker_id(request.id)
        except NotFound:
            return
        told = self._api.inspect_container(identifier)
        self._api.remove_container(identifier, v=request.volumes, force=request.force)
        for mount in told["Mounts"] if request.volumes else ():
            # Docker itself removes only those whose names it has chosen.
            spec = _spec_of(self._api.inspect_volume(mount["Name"]), VolumeSpec)
            if spec.anonymous:
                self._api.remove_volume(mount["Name"])

    def _rename(self, request: base.RenameContainer) -> None:
        self._api.rename(self._docker_id(request.id), request.name)

    def _update(self, request: base.UpdateContainer) -> None:
        restart = request.restart
        policy = restart and {"Name": restart.mode.value, "MaximumRetryCount": restart.max_attempts}
        self._api.update_container(
            self._docker_id(request.id),
            mem_limit=request.resources.memory_bytes or None,
            memswap_limit=request.resources.memory_bytes * 2 or None,
            restart_policy=policy,
        )

    # -- networks and volumes -----------------------------------------------------------------
    def _create_network(self, request: base.CreateNetwork) -> None:
        spec = request.spec
        if spec.external:
            self._api.inspect_network(spec.name)
        elif not self._api.networks(names=[f"^{spec.name}$"]):
            self._api.create_network(spec.name, labels={_SPEC: _text(spec)})

    def _remove_network(self, request: base.RemoveNetwork) -> None:
        if self._api.networks(names=[f"^{request.name}$"]):
            self._api.remove_network(request.name)

    def _connect(self, request: base.ConnectNetwork) -> None:
        identifier = self._docker_id(request.id)
        on = self._api.inspect_container(identifier)["NetworkSettings"]["Networks"]
        if request.endpoint.network not in on:
            self._connect_to(identifier, request.endpoint)

    def _connect_to(self, identifier: str, endpoint: Endpoint) -> None:
        self._api.connect_container_to_network(
            identifier, endpoint.network, aliases=list(endpoint.aliases)
        )

    def _disconnect(self, request: base.DisconnectNetwork) -> None:
        identifier = self._docker_id(request.id)
        if (
            request.network
            in self._api.inspect_container(identifier)["NetworkSettings"]["Networks"]
        ):
            self._api.disconnect_container_from_network(identifier, request.network)

    def _create_volume(self, request: base.CreateVolume) -> None:
        spec = request.spec
        if spec.external:
            self._api.inspect_volume(spec.name)
        else:
            self._api.create_volume(spec.name, labels={_SPEC: _text(spec)})

    def _remove_volume(self, request: base.RemoveVolume) -> None:
        self._api.remove_volume(request.name)

    # -- states -------------------------------------------------------------------------------
    def _state(self, told: dict[str, Any]) -> ContainerState:
        state, labels = told["State"], told["Config"]["Labels"]
        pid = int(state["Pid"])
        networks = told["NetworkSettings"]["Networks"]
        return ContainerState(
            id=labels[_ID],
            name=told["Name"].removeprefix("/"),
            project="contract",
            service=labels["contract.service"],
            number=1,
            image=told["Config"]["Image"],
            image_id=told["Image"],
            config_hash="",
            command=tuple(told["Config"]["Cmd"]),
            created_ns=_ns(told["Created"]),
            status=state["Status"],
            pid=pid,
            start_ticks=_ticks(pid),
            started_ns=_ns(state["StartedAt"]),
            finished_ns=_ns(state["FinishedAt"]),
            exit_code=state["ExitCode"],
            stopped_by_user=labels[_ID] in self._stopped,
            health=state.get("Health", {}).get("Status", Health.NONE),
            endpoints=tuple(EndpointState(name) for name in networks if name != "none"),
            mounts=tuple(mount["Name"] for mount in told["Mounts"]),
        )


def _answer(
    ticket: int, request: base.WaitHealthy | base.WaitExited, state: ContainerState
) -> base.Completion | None:
    if isinstance(request, base.WaitExited):
        if state.status != Status.EXITED:
            return None
        return base.Completion(ticket=ticket, exit_code=state.exit_code)
    if state.status == Status.EXITED:
        if request.or_completed and state.exit_code == 0:
            return base.Completion(ticket=ticket)
        error = RuntimeFailure(f"container {state.name} exited ({state.exit_code})")
        return base.Completion(ticket=ticket, error=error)
    if state.health == Health.UNHEALTHY:
        error = RuntimeFailure(f"container {state.name} is unhealthy")
        return base.Completion(ticket=ticket, error=error)
    if state.status == Status.RUNNING and state.health in (Health.NONE, Health.HEALTHY):
        return base.Completion(ticket=ticket)
    return None


def _error(exc: APIError) -> OrchestraError:
    kind = _ERRORS.get(exc.response.status_code, RuntimeFailure)
    return kind(str(exc.explanation))


def _healthcheck(spec: ContainerSpec) -> dict[str, Any] | None:
    check = spec.healthcheck
    if check is None:
        return None
    interval_ns = int(check.interval_s * 1e9)
    return {"test": list(check.test), "interval": interval_ns, "retries": check.retries}


def _text(spec: NetworkSpec | VolumeSpec) -> str:
    return msgspec.json.encode(spec).decode()


def _spec_of(told: dict[str, Any], kind: type[_Spec]) -> _Spec:
    return msgspec.json.decode(told["Labels"][_SPEC], type=kind)


def _network_state(told: dict[str, Any]) -> NetworkState:
    (pool,) = told["IPAM"]["Config"]
    spec = _spec_of(told, NetworkSpec)
    return NetworkState(
        spec=spec, subnet=pool["Subnet"], gateway=pool.get("Gateway", ""), bridge=""
    )


def _volume_state(told: dict[str, Any]) -> VolumeState:
    return VolumeState(spec=_spec_of(told, VolumeSpec), mountpoint=told["Mountpoint"])


def _ticks(pid: int) -> int:
    """0 for what does not run, or has ended since Docker was asked."""
    try:
        return start_ticks(pid) if pid else 0
    except ProcessLookupError:
        return 0


def _name(told: dict[str, Any]) -> str:
    return str(told["Name"])


def _ns(text: str) -> int:
    """Nanoseconds since the epoch; 0 for Docker's "never", the year 1."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    if whole.startswith("0001"):
        return 0
    seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)


_METHODS: dict[type[base.Request], Callable[..., None]] = {
    base.CreateContainer: SdkEngine._create,
    base.StartContainer: SdkEngine._start,
    base.StopContainer: SdkEngine._stop,
    base.KillContainer: SdkEngine._kill,
    base.RestartContainer: SdkEngine._restart,
    base.PauseContainer: SdkEngine._pause,
    base.UnpauseContainer: SdkEngine._unpause,
    base.AttachInput: SdkEngine._attach_input,
    base.RemoveContainer: SdkEngine._remove,
    base.RenameContainer: SdkEngine._rename,
    base.UpdateContainer: SdkEngine._update,
    base.CreateNetwork: SdkEngine._create_network,
    base.RemoveNetwork: SdkEngine._remove_network,
    base.ConnectNetwork: SdkEngine._connect,
    base.DisconnectNetwork: SdkEngine._disconnect,
    base.CreateVolume: SdkEngine._create_volume,
    base.RemoveVolume: SdkEngine._remove_volume,
}
