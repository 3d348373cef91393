"""The client's side of the supervisor's socket, in the standard library only.

`stop` and `kill` use it as it is, since importing msgspec would cost them more than their work;
`client.py` puts the typed Engine on top. For the same reason it has the C module behind `socket`,
which spends 3 of their 28 ms on making enumerations of all that a socket can be asked. Frames are
a 4-byte big-endian length and a JSON object; `protocol.py` describes them all.
"""

from __future__ import annotations

import errno
import json
import os
import select
import struct
import time
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM
from _socket import socket as Socket  # noqa: N812 (a class, whatever its name)
from typing import cast

from orchestra import __version__, errors
from orchestra.errors import EngineUnavailable, OrchestraError
from orchestra.named import NamedTuple
from orchestra.supervisor.sockets import receive_with_fds

PROTOCOL = 1
LENGTH = struct.Struct(">I")
LONGEST_FRAME = 64 * 1024 * 1024
HELLO_TIMEOUT_S = 10.0
MOST_DESCRIPTORS = 8

JsonObject = dict[str, object]


class LightCompletion(NamedTuple):
    """`engine.base.Completion` without msgspec."""

    ticket: int
    error: OrchestraError | None = None
    exit_code: int | None = None
    detail: str = ""
    warnings: tuple[str, ...] = ()


class FrameBuffer:
    """Bytes in, whole frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, content: bytes) -> None:
        self._buffer += content

    def next_frame(self) -> bytes | None:
        """The next complete payload. Raises EngineUnavailable for an impossible length."""
        if len(self._buffer) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._buffer)
        if length > LONGEST_FRAME:
            raise EngineUnavailable(
                f"a frame of {length} bytes on the supervisor's socket",
                fix="upgrade the older side: another version of orchestra is running",
            )
        end = LENGTH.size + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[LENGTH.size : end])
        del self._buffer[:end]
        return frame


def frame(payload: bytes) -> bytes:
    return LENGTH.pack(len(payload)) + payload


def error_from_wire(fields: JsonObject) -> OrchestraError:
    """The error that the other side raised, as the same class."""
    kind = getattr(errors, str(fields.get("kind", "")), OrchestraError)
    if not (isinstance(kind, type) and issubclass(kind, OrchestraError)):
        kind = OrchestraError
    error = kind.__new__(kind)
    OrchestraError.__init__(error, str(fields.get("what", "")), fix=str(fields.get("fix", "")))
    error.exit_code = cast(int, fields.get("exit_code", error.exit_code))
    return error.at(*cast("list[str | int]", fields.get("path", ())))


class Channel:
    """A connected socket that speaks frames; the hello is done."""

    def __init__(self, connected: Socket) -> None:
        self._socket = connected
        self._frames = FrameBuffer()
        self._descriptors: list[int] = []

    @classmethod
    def connect(cls, socket_path: str) -> Channel | None:
        """Connect and greet; None when nobody listens.

        Raises EngineUnavailable and PermissionDenied.
        """
        connected = Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
        try:
            _connect(connected, socket_path)
        except OSError as exc:
            connected.close()
            if exc.errno in (errno.ENOENT, errno.ECONNREFUSED):
                return None
            if exc.errno in (errno.EACCES, errno.EPERM):
                raise errors.PermissionDenied(
                    f"connect {socket_path}: permission denied",
                    fix="run the command as the user who started the project",
                ) from exc
            raise EngineUnavailable(f"connect {socket_path}: {exc.strerror}") from exc
        channel = cls(connected)
        try:
            channel.send({"type": "Hello", "protocol": PROTOCOL, "version": __version__})
            welcome = channel.receive(HELLO_TIMEOUT_S)
        except EngineUnavailable:
            channel.close()
            return None  # it was just going away
        if welcome is None:
            channel.close()
            raise EngineUnavailable(
                f"the supervisor behind {socket_path} does not answer",
                fix="look into supervisor.log of the project",
            )
        if welcome.get("type") == "Refused":
            channel.close()
            raise error_from_wire(cast(JsonObject, welcome["error"]))
        return channel

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: JsonObject) -> None:
        self.send_bytes(json.dumps(message, separators=(",", ":")).encode())

    def send_bytes(self, payload: bytes) -> None:
        """Raises EngineUnavailable when the supervisor has gone."""
        try:
            self._socket.sendall(frame(payload))
        except OSError as exc:
            raise _gone(exc) from exc

    def receive(self, timeout_s: float | None = None) -> JsonObject | None:
        """The next message as JSON, or None after *timeout_s*."""
        payload = self.receive_bytes(timeout_s)
        return None if payload is None else cast(JsonObject, json.loads(payload))

    def receive_bytes(self, timeout_s: float | None = None) -> bytes | None:
        """The next payload, or None after *timeout_s*. Raises EngineUnavailable at the end."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            payload = self._frames.next_frame()
            if payload is not None:
                return payload
            if deadline_s is not None:
                remaining_s = max(0.0, deadline_s - time.monotonic())
                if not select.select([self._socket], [], [], remaining_s)[0]:
                    return None
            try:
                content, fds = receive_with_fds(self._socket, 262144, MOST_DESCRIPTORS)
            except OSError as exc:
                raise _gone(exc) from exc
            if not content:
                raise _gone(None)
            self._descriptors += fds
            self._frames.feed(content)

    def take_descriptors(self, count: int) -> tuple[int, ...]:
        """The next *count* that came with messages, in order; the caller's to close."""
        taken, self._descriptors = self._descriptors[:count], self._descriptors[count:]
        return tuple(taken)

    def close(self) -> None:
        self._socket.close()
        for fd in self.take_descriptors(len(self._descriptors)):
            os.close(fd)


class LightClient:
    """Requests as JSON objects ({"type": "StopContainer", "id": …}), answers as tuples."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._last_ticket = 0

    @classmethod
    def connect(cls, socket_path: str) -> LightClient | None:
        """A client of the live supervisor; None when there is none."""
        channel = Channel.connect(socket_path)
        return None if channel is None else cls(channel)

    def fileno(self) -> int:
        """Readable when something has come."""
        return self._channel.fileno()

    def submit(self, request: JsonObject) -> int:
        """Begin *request*; the ticket names its completion."""
        self._last_ticket += 1
        self._channel.send({"type": "Submit", "ticket": self._last_ticket, "request": request})
        return self._last_ticket

    def next_completion(self, timeout_s: float | None = None) -> LightCompletion | None:
        """The next answer; None after *timeout_s*. Raises EngineUnavailable."""
        while True:
            message = self._channel.receive(timeout_s)
            if message is None:
                return None
            if message.get("type") == "Answer":
                return _completion(message)

    def close(self) -> None:
        self._channel.close()


def _completion(message: JsonObject) -> LightCompletion:
    error = message.get("error")
    return LightCompletion(
        cast(int, message["ticket"]),
        error_from_wire(cast(JsonObject, error)) if error is not None else None,
        cast("int | None", message.get("exit_code")),
        str(message.get("detail", "")),
        tuple(map(str, cast("list[object]", message.get("warnings", ())))),
    )


def _connect(connected: Socket, path: str) -> None:
    """Connect by way of /proc/self/fd when *path* is longer than sockaddr_un takes. unix(7)."""
    if len(os.fsencode(path)) < 108:
        connected.connect(path)
        return
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connected.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)


def _gone(exc: OSError | None) -> EngineUnavailable:
    reason = f": {exc.strerror}" if exc is not None else ""
    return EngineUnavailable(
        f"the project's supervisor has gone{reason}",
        fix="run the command again; the supervisor is started anew and adopts what runs",
    )
