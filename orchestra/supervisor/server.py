"""Serves the project's socket: who is connected, what each is told, and whether we are needed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections import deque
from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.errors import EngineUnavailable, OrchestraError, PermissionDenied, Unsupported
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.supervisor import protocol
from orchestra.supervisor.light import PROTOCOL, FrameBuffer, frame
from orchestra.supervisor.sockets import peer_uid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.engine.base import Completion
    from orchestra.engine.embedded.core import Core
    from orchestra.engine.embedded.engine import EmbeddedEngine
    from orchestra.engine.embedded.events import ContainerEvent
    from orchestra.supervisor.loop import Loop

_MOST_UNREAD = 32 * 1024 * 1024


class _Outgoing(NamedTuple):
    """Bytes to be sent, and descriptors that go with the first of them."""

    content: bytearray
    fds: list[int]


class Connection:
    """One client. Answers are queued: a client that does not read keeps nobody waiting."""

    def __init__(self, server: Server, connected: socket.socket) -> None:
        self._server = server
        self._socket = connected
        self._frames = FrameBuffer()
        self._outgoing: deque[_Outgoing] = deque()
        self._unread = 0  # bytes in it
        self._greeted = False
        self._subscribed = False
        connected.settimeout(0)
        server.loop.add_reader(connected.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            content = self._socket.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            self.close()
            return
        self._frames.feed(content)
        try:
            while self._socket.fileno() >= 0:
                payload = self._frames.next_frame()
                if payload is None:
                    return
                self._take(protocol.decode_from_client(payload))
        except (msgspec.MsgspecError, EngineUnavailable) as exc:
            self._refuse(Unsupported(f"a message that this supervisor does not know: {exc}"))

    def _take(self, message: protocol.FromClient) -> None:
        if not self._greeted:
            self._greet(message)
            return
        match message:
            case protocol.Submit():
                self._server.engine.begin(message.request, message.ticket, self._answer)
            case protocol.Observe():
                self._send(protocol.Observed(project=self._server.engine.observe()))
            case protocol.Subscribe():
                self._subscribed = True
            case protocol.Hello():
                self._refuse(Unsupported("a second Hello on one connection"))

    def _greet(self, message: protocol.FromClient) -> None:
        if not isinstance(message, protocol.Hello) or message.protocol != PROTOCOL:
            self._refuse(
                Unsupported(
                    f"this project's supervisor is of version {__version__} and speaks another "
                    "protocol",
                    fix="stop the project with the version that started it",
                )
            )
        elif peer_uid(self._socket) not in (0, os.geteuid()):
            self._refuse(PermissionDenied("this project belongs to another user"))
        else:
            self._greeted = True
            self._send(protocol.Welcome(protocol=PROTOCOL, version=__version__, pid=os.getpid()))

    def _answer(self, completion: Completion) -> None:
        self._send(protocol.answer(completion), completion.fds)

    def tell(self, event: ContainerEvent) -> None:
        if self._subscribed:
            self._send(protocol.Event(event=event))

    def _refuse(self, error: OrchestraError) -> None:
        self._send(protocol.Refused(error=protocol.error_to_wire(error)))
        self.close()

    def _send(self, message: protocol.FromServer, fds: tuple[int, ...] = ()) -> None:
        """Send *message* in its turn, with *fds*, which are closed here."""
        if self._socket.fileno() < 0 or self._unread > _MOST_UNREAD:
            self.close()  # it has gone, or subscribed and does not read
            _close_all(fds)
            return
        was_empty = not self._outgoing
        content = frame(protocol.encode(message))
        self._unread += len(content)
        if was_empty or fds or self._outgoing[-1].fds:
            self._outgoing.append(_Outgoing(bytearray(content), list(fds)))
        else:
            self._outgoing[-1].content.extend(content)
        if was_empty:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                self._send_some(self._outgoing[0])
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self._outgoing:
            self._server.loop.add_writer(self._socket.fileno(), self._flush)
        else:
            self._server.loop.remove_writer(self._socket.fileno())

    def _send_some(self, first: _Outgoing) -> None:
        sent = socket.send_fds(self._socket, [first.content], first.fds)
        _close_all(first.fds)
        first.fds.clear()
        del first.content[:sent]
        self._unread -= sent
        if not first.content:
            self._outgoing.popleft()

    def close(self) -> None:
        fd = self._socket.fileno()
        while self._outgoing:
            _close_all(self._outgoing.popleft().fds)
        if fd >= 0:
            self._server.loop.remove_reader(fd)
            self._server.loop.remove_writer(fd)
            self._socket.close()
            self._server.forget(self)


class Server:
    """Accepts clients; knows when there is nothing left to do."""

    def __init__(
        self, core: Core, engine: EmbeddedEngine, loop: Loop, listener: socket.socket
    ) -> None:
        self.core = core
        self.engine = engine
        self.loop = loop
        self.listener = listener
        self._connections: set[Connection] = set()
        self.asked_to_end = False
        loop.add_reader(listener.fileno(), self._accept)
        loop.on_signal(signal.SIGTERM, self._end)
        core.listeners.append(self._tell)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                connected, _ = self.listener.accept()
                self._connections.add(Connection(self, connected))

    def _tell(self, event: ContainerEvent) -> None:
        for connection in tuple(self._connections):
            connection.tell(event)

    def forget(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def _end(self) -> None:
        self.asked_to_end = True

    def is_needed(self) -> bool:
        """Is a client connected, or a container running, starting or to be restarted?"""
        if self._connections or self.core.is_tidying:
            return True
        return any(
            container.is_running
            or container.launching is not None
            or container.restart_timer is not None
            or container.removal_timer is not None
            for container in self.core.containers.values()
        )

    def accept_waiting(self) -> None:
        """Accept who has connected since; asked before the end."""
        self._accept()

    @property
    def has_clients(self) -> bool:
        return bool(self._connections)

    def is_quiet(self) -> bool:
        """Is nothing under way that this process alone knows of: no client, launch or command?"""
        return not (self._connections or self.core.commands or self.core.is_tidying) and all(
            container.launching is None and container.hooks is None
            for container in self.core.containers.values()
        )

    def close(self) -> None:
        for connection in tuple(self._connections):
            connection.close()
        self.loop.remove_reader(self.listener.fileno())
        self.listener.close()


def _close_all(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)
