"""The messages on the supervisor's socket, and their JSON form.

Both sides first send who they are (Hello, then Welcome or Refused). Then the client sends Submit,
Observe and Subscribe in any order; answers come when they are known. An error travels as its
class name, text, fix and exit code, and is raised as the same class. Frames: see `light.py`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from orchestra.engine.base import (
    AttachInput,
    Completion,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    DisconnectNetwork,
    KillContainer,
    ObservedProject,
    PauseContainer,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    RenameContainer,
    RestartContainer,
    StartContainer,
    StopContainer,
    UnpauseContainer,
    UpdateContainer,
    WaitExited,
    WaitHealthy,
)
from orchestra.engine.embedded.events import ContainerEvent
from orchestra.model.container import Frozen
from orchestra.model.structs import msgspec
from orchestra.supervisor.light import error_from_wire

if TYPE_CHECKING:
    from orchestra.engine.base import Request
    from orchestra.errors import OrchestraError

AnyRequest = (
    CreateContainer
    | StartContainer
    | StopContainer
    | KillContainer
    | RestartContainer
    | PauseContainer
    | UnpauseContainer
    | AttachInput
    | RemoveContainer
    | RenameContainer
    | UpdateContainer
    | WaitHealthy
    | WaitExited
    | CreateNetwork
    | RemoveNetwork
    | ConnectNetwork
    | DisconnectNetwork
    | CreateVolume
    | RemoveVolume
)


class WireError(Frozen, frozen=True, kw_only=True):
    kind: str
    what: str
    fix: str = ""
    exit_code: int = 1
    path: tuple[str | int, ...] = ()


class Message(Frozen, frozen=True, kw_only=True, tag=True):
    """Base of all messages; the class name is the wire tag."""


# -- from the client ------------------------------------------------------------------------------
class Hello(Message, frozen=True, kw_only=True):
    protocol: int
    version: str


class Submit(Message, frozen=True, kw_only=True):
    """Begin *request*; its Answer carries *ticket*, which the client has chosen."""

    ticket: int
    request: AnyRequest


class Observe(Message, frozen=True, kw_only=True):
    """Answered by Observed, in order."""


class Subscribe(Message, frozen=True, kw_only=True):
    """From now on an Event for everything that happens."""


# -- from the supervisor --------------------------------------------------------------------------
class Welcome(Message, frozen=True, kw_only=True):
    protocol: int
    version: str
    pid: int


class Refused(Message, frozen=True, kw_only=True):
    """The connection is of no use; it is closed after this."""

    error: WireError


class Answer(Message, frozen=True, kw_only=True):
    """*descriptors*: how many travel with it, by SCM_RIGHTS. unix(7)."""

    ticket: int
    error: WireError | None = None
    exit_code: int | None = None
    detail: str = ""
    warnings: tuple[str, ...] = ()
    descriptors: int = 0


class Observed(Message, frozen=True, kw_only=True):
    project: ObservedProject


class Event(Message, frozen=True, kw_only=True):
    event: ContainerEvent


FromClient = Hello | Submit | Observe | Subscribe
FromServer = Welcome | Refused | Answer | Observed | Event

encode = msgspec.json.Encoder().encode


def decode_from_client(payload: bytes) -> FromClient:
    """Raises msgspec.MsgspecError for what is no message."""
    return _client_decoder().decode(payload)


def decode_from_server(payload: bytes) -> FromServer:
    """Raises msgspec.MsgspecError for what is no message."""
    return _server_decoder().decode(payload)


# Made at first use: each side needs one, and the requests' takes 3 ms for all that a spec may hold.
@cache
def _client_decoder() -> msgspec.json.Decoder[FromClient]:
    return msgspec.json.Decoder(FromClient)


@cache
def _server_decoder() -> msgspec.json.Decoder[FromServer]:
    return msgspec.json.Decoder(FromServer)


def prepare_server() -> None:
    """Make now what a supervisor would make at its first message."""
    _client_decoder()


def error_to_wire(error: OrchestraError) -> WireError:
    return WireError(
        kind=type(error).__name__,
        what=error.what,
        fix=error.fix,
        exit_code=error.exit_code,
        path=tuple(error.path),
    )


def submit(ticket: int, request: Request) -> Submit:
    """*request* as a message. Raises TypeError when it is none of AnyRequest."""
    if not isinstance(request, AnyRequest):
        raise TypeError(f"{type(request).__name__} is not a request of this protocol")
    return Submit(ticket=ticket, request=request)


def answer(completion: Completion) -> Answer:
    """*completion* as a message."""
    error = None if completion.error is None else error_to_wire(completion.error)
    return Answer(
        ticket=completion.ticket,
        error=error,
        exit_code=completion.exit_code,
        detail=completion.detail,
        warnings=completion.warnings,
        descriptors=len(completion.fds),
    )


def completion(message: Answer, fds: tuple[int, ...] = ()) -> Completion:
    """The Completion that *message* carries; *fds* have come with it."""
    error = None if message.error is None else error_from_wire(msgspec.to_builtins(message.error))
    return Completion(
        ticket=message.ticket,
        error=error,
        exit_code=message.exit_code,
        detail=message.detail,
        warnings=message.warnings,
        fds=fds,
    )
