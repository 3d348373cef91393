"""The container-level contract: what every engine can be asked, as data.

A request is a frozen struct; an engine takes it with `submit` and hands back a `Completion`, now or
later. So one vocabulary serves the embedded engine, the socket to the supervisor (which only
encodes it), the Docker SDK and the in-memory fake, and the plan's executor can keep many requests
under way without a thread. `docs/design/001-requests-as-data.md` tells why.

Requests that wait (`WaitHealthy`, `WaitExited`, `StopContainer`) complete when their event comes;
all others complete at once. Stopping what is stopped, removing what is gone and starting what runs
succeed: a plan may be executed again after a crash.
"""

from __future__ import annotations

from typing import Protocol

from orchestra.errors import OrchestraError
from orchestra.model.container import (
    ContainerId,
    ContainerSpec,
    Endpoint,
    Frozen,
    Resources,
    RestartPolicy,
)
from orchestra.model.network import NetworkSpec, NetworkState, VolumeSpec, VolumeState
from orchestra.model.state import ContainerState
from orchestra.model.structs import Struct


class Request(Frozen, frozen=True, kw_only=True, tag=True):
    """Base of all requests; the class name is the wire tag."""


# -- containers ---------------------------------------------------------------------------------
class CreateContainer(Request, frozen=True, kw_only=True):
    """Make it, not running: snapshot, addresses, host ports reserved, volumes filled."""

    spec: ContainerSpec


class StartContainer(Request, frozen=True, kw_only=True):
    """Completes when its command has been executed; LaunchFailed when it could not be."""

    id: ContainerId


class StopContainer(Request, frozen=True, kw_only=True):
    """stop_signal, then SIGKILL after the grace period; completes when it has exited."""

    id: ContainerId
    signal: str = ""  # "" is the spec's
    grace_s: float | None = None  # None is the spec's; -1 waits for ever
    to_resume: bool = False  # the machine goes down: do not remember that it was stopped


class KillContainer(Request, frozen=True, kw_only=True):
    id: ContainerId
    signal: str = "SIGKILL"


class RestartContainer(Request, frozen=True, kw_only=True):
    id: ContainerId
    grace_s: float | None = None


class PauseContainer(Request, frozen=True, kw_only=True):
    id: ContainerId


class UnpauseContainer(Request, frozen=True, kw_only=True):
    id: ContainerId


class RemoveContainer(Request, frozen=True, kw_only=True):
    """Remove a stopped container (a running one too with *force*), its snapshot and logs."""

    id: ContainerId
    force: bool = False
    volumes: bool = False  # its anonymous volumes as well


class AttachInput(Request, frozen=True, kw_only=True):
    """Completes with what to write into in `Completion.fds`: Conflict when it does not run.

    That is its terminal's master side, also for the window's size, or the writing end of its stdin;
    nothing when it has none. What it prints is read by the engine alone, into the log.
    """

    id: ContainerId


class RenameContainer(Request, frozen=True, kw_only=True):
    id: ContainerId
    name: str


class UpdateContainer(Request, frozen=True, kw_only=True):
    """Other limits from now on, and another restart policy where one is given.

    *resources* is the whole of them. A running container has them at once; a limit that is left
    out now stays as it is until the next start.
    """

    id: ContainerId
    resources: Resources
    restart: RestartPolicy | None = None


class WaitHealthy(Request, frozen=True, kw_only=True):
    """Completes when healthy (when running, without a healthcheck); fails when it cannot be.

    With `or_completed`, a container that has ended with status 0 is ready too. The engine decides
    it, so that one which ends between the caller's look and this request is no failure.
    """

    id: ContainerId
    or_completed: bool = False


class WaitExited(Request, frozen=True, kw_only=True):
    """Completes with the exit code in `Completion.exit_code`."""

    id: ContainerId


# -- networks, volumes --------------------------------------------------------------------------
class CreateNetwork(Request, frozen=True, kw_only=True):
    """Make the network; nothing happens when it exists with the same specification."""

    spec: NetworkSpec


class RemoveNetwork(Request, frozen=True, kw_only=True):
    name: str


class ConnectNetwork(Request, frozen=True, kw_only=True):
    """Bring a container to one more network, live when it runs; on it already is fine.

    Conflict when it has no network namespace of its own, or the address is taken.
    """

    id: ContainerId
    endpoint: Endpoint


class DisconnectNetwork(Request, frozen=True, kw_only=True):
    """Take a container from a network; not on it is fine."""

    id: ContainerId
    network: str


class CreateVolume(Request, frozen=True, kw_only=True):
    spec: VolumeSpec


class RemoveVolume(Request, frozen=True, kw_only=True):
    name: str


# -- answers ------------------------------------------------------------------------------------
class Completion(Struct, frozen=True, kw_only=True):
    """The answer to the request that got *ticket*."""

    ticket: int
    error: OrchestraError | None = None
    exit_code: int | None = None  # WaitExited
    detail: str = ""  # for people: "0.0.0.0:8080->80/tcp"
    warnings: tuple[str, ...] = ()  # what could not be done as asked, although it succeeded
    fds: tuple[int, ...] = ()  # AttachInput; the receiver's to close


class ObservedProject(Frozen, frozen=True, kw_only=True):
    """What exists of one project, read in one go."""

    containers: tuple[ContainerState, ...] = ()
    networks: tuple[NetworkState, ...] = ()
    volumes: tuple[VolumeState, ...] = ()


class Engine(Protocol):
    """Takes requests for one project's containers, networks and volumes."""

    def submit(self, request: Request) -> int:
        """Begin *request*; the ticket names its Completion. Raises EngineUnavailable."""
        ...

    def next_completion(self, timeout_s: float | None = None) -> Completion | None:
        """The next answer, in the order they become known; None after *timeout_s*."""
        ...

    def observe(self) -> ObservedProject:
        """What exists now."""
        ...

    def close(self) -> None:
        """Let go of the engine; what runs goes on running."""
        ...


def call(engine: Engine, request: Request) -> Completion:
    """Submit *request* and wait for its answer; nothing else may be under way on *engine*.

    Raises the completion's error.
    """
    ticket = engine.submit(request)
    while True:
        completion = engine.next_completion()
        if completion is not None and completion.ticket == ticket:
            if completion.error is not None:
                raise completion.error
            return completion
