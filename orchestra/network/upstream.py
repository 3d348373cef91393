"""One question forwarded to other name servers, over UDP or TCP, on the supervisor's event loop.

Each try has a socket of its own, connected to the server: a random source port, answers from
nobody else, and a refused port is known at once.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import TYPE_CHECKING

from orchestra.network import dnsmessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra.network.base import EventLoop, Timer

TIMEOUT_S = 3.0  # for one try
ROUNDS = 2  # through all servers
_PORT = 53
_MAX_MESSAGE_BYTES = 65535


class Exchange:
    """Asks *servers* in turn; calls *done* once, with the answer or None when nobody gave one."""

    def __init__(
        self,
        loop: EventLoop,
        servers: Sequence[str],
        message: bytes,
        question: bytes,
        done: Callable[[bytes | None], None],
    ) -> None:
        self._loop = loop
        self._servers = list(servers) * ROUNDS
        self._identity = int.from_bytes(os.urandom(2), "big")
        self._asker_identity = int.from_bytes(message[:2], "big")
        self._message = dnsmessage.with_id(message, self._identity)
        self._question = question
        self._done = done
        self._socket: socket.socket | None = None
        self._timer: Timer | None = None

    def start(self) -> None:
        """Ask the next server; *done* may be called before this returns."""
        while self._servers:
            server = self._servers.pop(0)
            try:
                self._socket = self._connect(server)
            except OSError:
                continue
            self._timer = self._loop.call_later(TIMEOUT_S, self._next)
            return
        self._done(None)

    def cancel(self) -> None:
        """Close the socket; *done* is not called."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._forget(self._socket)
            self._socket.close()
            self._socket = None

    def _connect(self, server: str) -> socket.socket:
        channel = _open(server, socket.SOCK_DGRAM)
        try:
            channel.connect((server, _PORT))
            channel.send(self._message)
        except OSError:
            channel.close()
            raise
        self._loop.add_reader(channel.fileno(), self._readable)
        return channel

    def _forget(self, channel: socket.socket) -> None:
        self._loop.remove_reader(channel.fileno())

    def _next(self) -> None:
        self.cancel()
        self.start()

    def _readable(self) -> None:
        if self._socket is None:
            return
        try:
            answer = self._socket.recv(_MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._next()
            return
        self._received(answer)

    def _received(self, answer: bytes) -> None:
        if not dnsmessage.answers(answer, self._identity, self._question):
            return
        if self._servers and answer[3] & 0xF in (dnsmessage.SERVFAIL, dnsmessage.REFUSED):
            self._next()
            return
        self.cancel()
        self._done(dnsmessage.with_id(answer, self._asker_identity))


class StreamExchange(Exchange):
    """The same over TCP, for answers that are too long for UDP."""

    _outgoing = b""
    _incoming = b""

    def _connect(self, server: str) -> socket.socket:
        channel = _open(server, socket.SOCK_STREAM)
        result = channel.connect_ex((server, _PORT))
        if result not in (0, errno.EINPROGRESS):
            channel.close()
            raise OSError(result, os.strerror(result))
        self._outgoing = struct.pack(">H", len(self._message)) + self._message
        self._incoming = b""
        self._loop.add_writer(channel.fileno(), self._writable)
        self._loop.add_reader(channel.fileno(), self._readable)
        return channel

    def _forget(self, channel: socket.socket) -> None:
        self._loop.remove_writer(channel.fileno())
        self._loop.remove_reader(channel.fileno())

    def _writable(self) -> None:
        if self._socket is None:
            return
        try:
            sent = self._socket.send(self._outgoing)
        except BlockingIOError:
            return
        except OSError:
            self._next()
            return
        self._outgoing = self._outgoing[sent:]
        if not self._outgoing:
            self._loop.remove_writer(self._socket.fileno())

    def _readable(self) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(_MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._next()
            return
        self._incoming += data
        if len(self._incoming) >= 2:
            (length,) = struct.unpack_from(">H", self._incoming)
            if len(self._incoming) >= 2 + length:
                self._received(self._incoming[2 : 2 + length])


def _open(server: str, kind: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    return socket.socket(family, kind | socket.SOCK_NONBLOCK)
