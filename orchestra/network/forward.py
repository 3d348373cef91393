"""The user-space forwarder: connections to a host port that the kernel's rules do not catch.

That is IPv6 to a container with IPv4 only, and everything where there is no nf_tables. Bytes are
copied on the supervisor's event loop; buffers, connections and sessions are bounded.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.network.base import EventLoop, Timer

Address = tuple[str, int]

BUFFER_BYTES = 1 << 16
MAX_CONNECTIONS = 1024
MAX_SESSIONS = 1024
SESSION_TIMEOUT_S = 30.0
_DATAGRAMS_PER_WAKEUP = 64
_MAX_DATAGRAM_BYTES = 65535
_ACCEPT_PAUSE_S = 0.1


class StreamForwarder:
    """Accepts on a bound TCP socket, which stays the caller's, and connects to *backend*."""

    def __init__(self, loop: EventLoop, listener: socket.socket, backend: Address) -> None:
        self._loop = loop
        self._listener = listener
        self._backend = backend
        self._pairs: set[_Pair] = set()
        self._pause: Timer | None = None
        # inherited by connections: in TIME_WAIT they shall not keep the port from its next holder
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.listen(128)
        loop.add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop accepting, and cut the connections."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener.fileno())
        for pair in tuple(self._pairs):
            pair.close()

    def _accept(self) -> None:
        try:
            client, _address = self._listener.accept()
        except OSError as exc:
            if exc.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._wait()
            return
        if len(self._pairs) >= MAX_CONNECTIONS:
            client.close()
            return
        client.settimeout(0)
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        result = server.connect_ex(self._backend)
        if result not in (0, errno.EINPROGRESS):
            client.close()
            server.close()
            return
        self._pairs.add(_Pair(self._loop, client, server, self._pairs.discard))

    def _wait(self) -> None:
        """Out of descriptors: the connection stays in the queue, we do not spin on it."""
        self._loop.remove_reader(self._listener.fileno())
        self._pause = self._loop.call_later(_ACCEPT_PAUSE_S, self._resume)

    def _resume(self) -> None:
        self._loop.add_reader(self._listener.fileno(), self._accept)


class _Pair:
    """A client's connection and ours to the container, with a bounded buffer each way."""

    def __init__(
        self,
        loop: EventLoop,
        client: socket.socket,
        server: socket.socket,
        closed: Callable[[_Pair], None],
    ) -> None:
        self._loop = loop
        self._closed = closed
        self._open = True
        self._server = server
        self._pipes = (
            _Pipe(loop, client, server, self._finished),
            _Pipe(loop, server, client, self._finished),
        )
        loop.add_writer(server.fileno(), self._connected)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        for pipe in self._pipes:
            self._loop.remove_reader(pipe.source.fileno())
            self._loop.remove_writer(pipe.source.fileno())
        for pipe in self._pipes:
            pipe.source.close()
        self._closed(self)

    def _connected(self) -> None:
        self._loop.remove_writer(self._server.fileno())
        if self._server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
            return
        for pipe in self._pipes:
            pipe.start()

    def _finished(self, *, broken: bool) -> None:
        if broken or all(pipe.ended for pipe in self._pipes):
            self.close()


class _Pipe:
    """Copies from *source* to *sink* until the source ends; then shuts the sink's input."""

    def __init__(
        self,
        loop: EventLoop,
        source: socket.socket,
        sink: socket.socket,
        finished: Callable[..., None],
    ) -> None:
        self.source = source
        self.ended = False
        self._loop = loop
        self._sink = sink
        self._finished = finished
        self._buffer = memoryview(b"")

    def start(self) -> None:
        self._loop.add_reader(self.source.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            data = self.source.recv(BUFFER_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._finished(broken=True)
            return
        if not data:
            self._loop.remove_reader(self.source.fileno())
            self.ended = True
            try:
                self._sink.shutdown(socket.SHUT_WR)
            except OSError:
                self._finished(broken=True)
                return
            self._finished(broken=False)
            return
        self._buffer = memoryview(data)
        if not self._flush() and self.source.fileno() >= 0:
            self._loop.remove_reader(self.source.fileno())
            self._loop.add_writer(self._sink.fileno(), self._writable)

    def _writable(self) -> None:
        if self._flush():
            self._loop.remove_writer(self._sink.fileno())
            self._loop.add_reader(self.source.fileno(), self._readable)

    def _flush(self) -> bool:
        """Send what is buffered; false when some is left, or the connection broke and is closed."""
        try:
            self._buffer = self._buffer[self._sink.send(self._buffer) :]
        except BlockingIOError:
            return False
        except OSError:
            self._finished(broken=True)
            return False
        return not self._buffer


class DatagramForwarder:
    """Sends datagrams on, from a socket for each client, and the answers back."""

    def __init__(self, loop: EventLoop, listener: socket.socket, backend: Address) -> None:
        self._loop = loop
        self._listener = listener
        self._backend = backend
        self._sessions: dict[tuple[object, ...], _Session] = {}
        loop.add_reader(listener.fileno(), self._readable)

    def close(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        for session in tuple(self._sessions.values()):
            session.close()

    def _readable(self) -> None:
        for _ in range(_DATAGRAMS_PER_WAKEUP):
            try:
                data, address = self._listener.recvfrom(_MAX_DATAGRAM_BYTES)
            except OSError:
                return
            session = self._sessions.get(address)
            if session is None:
                session = self._begin(address)
            if session is not None:
                session.send(data)

    def _begin(self, address: tuple[object, ...]) -> _Session | None:
        if len(self._sessions) >= MAX_SESSIONS:
            return None
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        result = channel.connect_ex(self._backend)
        if result:
            channel.close()
            return None

        def answer(data: bytes) -> None:
            self._listener.sendto(data, address)

        session = _Session(self._loop, channel, answer, lambda: self._sessions.pop(address, None))
        self._sessions[address] = session
        return session


class _Session:
    """One client's datagrams; ends when none has passed for SESSION_TIMEOUT_S."""

    def __init__(
        self,
        loop: EventLoop,
        channel: socket.socket,
        answer: Callable[[bytes], None],
        closed: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._channel = channel
        self._answer = answer
        self._closed = closed
        self._busy = True
        self._timer = loop.call_later(SESSION_TIMEOUT_S, self._expire)
        loop.add_reader(channel.fileno(), self._readable)

    def send(self, data: bytes) -> None:
        self._busy = True
        try:
            self._channel.send(data)
        except OSError:
            return  # as on any network: lost, or an earlier one was refused

    def close(self) -> None:
        self._timer.cancel()
        self._loop.remove_reader(self._channel.fileno())
        self._channel.close()
        self._closed()

    def _readable(self) -> None:
        self._busy = True
        try:
            self._answer(self._channel.recv(_MAX_DATAGRAM_BYTES))
        except OSError:
            return

    def _expire(self) -> None:
        if not self._busy:
            self.close()
            return
        self._busy = False
        self._timer = self._loop.call_later(SESSION_TIMEOUT_S, self._expire)
