"""The name server at 127.0.0.11: reads questions from the containers' sockets and answers them.

Container names are answered from `dns.NameTable`, everything else is forwarded (`upstream`). All
sockets are non-blocking and belong to the supervisor's event loop; a slow or silent client holds
up nobody.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.network import dnsmessage
from orchestra.network.dns import TTL_S
from orchestra.network.upstream import Exchange, StreamExchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.network.base import EventLoop, Timer
    from orchestra.network.dns import NameTable

MAX_PENDING = 1024
"""Forwarded questions under way, of one container; beyond it the answer is "server failure"."""

MAX_CONNECTIONS = 64
IDLE_TIMEOUT_S = 10.0
ACCEPT_PAUSE_S = 0.1
_DATAGRAMS_PER_WAKEUP = 32


class Client(NamedTuple):
    """A container that asks."""

    networks: tuple[str, ...]  # in the order in which names are looked up
    servers: Callable[[], tuple[str, ...]]  # where to forward to; none for internal networks
    links: tuple[tuple[str, str], ...] = ()  # (what it alone calls a container, that one's name)


class Service:
    """Answers one container; closed when the container has exited."""

    def __init__(
        self,
        loop: EventLoop,
        names: Callable[[], NameTable],
        client: Client,
        fds: tuple[int, int],
    ) -> None:
        self._loop = loop
        self._names = names
        self.client = client
        self._udp = socket.socket(fileno=fds[0])
        self._tcp = socket.socket(fileno=fds[1])
        self._pending: set[Exchange] = set()
        self._connections: set[_Connection] = set()
        self._pause: Timer | None = None
        for channel, callback in ((self._udp, self._datagrams), (self._tcp, self._accept)):
            channel.settimeout(0)
            loop.add_reader(channel.fileno(), callback)

    def fileno(self) -> int:
        """A socket in the container's network namespace."""
        return self._udp.fileno()

    def close(self) -> None:
        """Close every socket and forget what is under way."""
        if self._pause is not None:
            self._pause.cancel()
        for exchange in self._pending:
            exchange.cancel()
        self._pending.clear()
        for connection in tuple(self._connections):
            connection.close()
        for channel in (self._udp, self._tcp):
            self._loop.remove_reader(channel.fileno())
            channel.close()

    def ask(self, data: bytes, reply: Callable[[bytes], None], *, stream: bool) -> None:
        """Answer the message *data* through *reply*, now or later."""
        try:
            query = dnsmessage.parse_query(data)
        except ValueError:
            refusal = dnsmessage.format_error(data)
            if refusal is not None:
                reply(refusal)
            return
        answer = self._own_answer(query)
        if answer is not None:
            reply(answer if stream else dnsmessage.fit(answer, query))
            return
        self._forward(data, query, reply, stream=stream)

    def _own_answer(self, query: dnsmessage.Query) -> bytes | None:
        """The answer when the name is a container's; None for everybody else's."""
        if query.klass != dnsmessage.CLASS_IN:
            return None
        names, networks = self._names(), self.client.networks
        if query.kind == dnsmessage.TYPE_PTR:
            return _pointer_answer(query, names.reverse(query.name, networks))
        found = names.lookup(dict(self.client.links).get(query.name, query.name), networks)
        if found is None:
            return None
        by_kind = {dnsmessage.TYPE_A: found.ipv4, dnsmessage.TYPE_AAAA: found.ipv6}
        return dnsmessage.addresses_answer(query, list(by_kind.get(query.kind, ())), TTL_S)

    def _forward(
        self,
        data: bytes,
        query: dnsmessage.Query,
        reply: Callable[[bytes], None],
        *,
        stream: bool,
    ) -> None:
        if len(self._pending) >= MAX_PENDING:
            reply(dnsmessage.refusal(query, dnsmessage.SERVFAIL))
            return

        def done(answer: bytes | None) -> None:
            self._pending.discard(exchange)
            reply(dnsmessage.refusal(query, dnsmessage.SERVFAIL) if answer is None else answer)

        kind = StreamExchange if stream else Exchange
        exchange = kind(self._loop, self.client.servers(), data, query.question, done)
        self._pending.add(exchange)
        exchange.start()

    def _resume(self) -> None:
        self._loop.add_reader(self._tcp.fileno(), self._accept)

    def _datagrams(self) -> None:
        """Answer what has come. A question stays in the socket until then: when this supervisor is
        killed over it, the next one finds it there, and the asker need not ask again after 5 s.
        """
        for _ in range(_DATAGRAMS_PER_WAKEUP):
            try:
                data, address = self._udp.recvfrom(dnsmessage.MAX_UDP_BYTES, socket.MSG_PEEK)
            except OSError:  # nothing more, or the answer to an earlier one was refused
                return
            try:
                self.ask(data, _DatagramReply(self._udp, address).send, stream=False)
            finally:
                with contextlib.suppress(OSError):
                    self._udp.recv(1)  # of none, Python would not even ask the kernel

    def _accept(self) -> None:
        try:
            channel, _address = self._tcp.accept()
        except OSError as exc:
            if exc.errno in (errno.EMFILE, errno.ENFILE):  # it stays in the queue; do not spin
                self._loop.remove_reader(self._tcp.fileno())
                self._pause = self._loop.call_later(ACCEPT_PAUSE_S, self._resume)
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            channel.close()
            return
        channel.settimeout(0)
        self._connections.add(_Connection(self, self._loop, channel, self._connections.discard))


def _pointer_answer(query: dnsmessage.Query, name: str | None) -> bytes | None:
    if name is None:
        return None
    try:
        return dnsmessage.pointer_answer(query, name, TTL_S)
    except ValueError:  # compose allows longer names than DNS
        return dnsmessage.refusal(query, dnsmessage.NXDOMAIN)


class _DatagramReply(NamedTuple):
    socket: socket.socket
    address: tuple[str, int]

    def send(self, answer: bytes) -> None:
        try:
            self.socket.sendto(answer, self.address)
        except OSError:
            return  # the asker has gone, or does not read


class _Connection:
    """One TCP connection of a container: messages with a length before each (RFC 1035 §4.2.2)."""

    def __init__(
        self,
        service: Service,
        loop: EventLoop,
        channel: socket.socket,
        closed: Callable[[_Connection], None],
    ) -> None:
        self._service = service
        self._loop = loop
        self._channel = channel
        self._closed = closed
        self._incoming = b""
        self._outgoing = b""
        self._timer: Timer = loop.call_later(IDLE_TIMEOUT_S, self.close)
        loop.add_reader(channel.fileno(), self._readable)

    def close(self) -> None:
        if self._channel.fileno() < 0:
            return
        self._timer.cancel()
        self._loop.remove_reader(self._channel.fileno())
        if self._outgoing:
            self._loop.remove_writer(self._channel.fileno())
        self._channel.close()
        self._closed(self)

    def _readable(self) -> None:
        try:
            data = self._channel.recv(65535)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._incoming += data
        while len(self._incoming) >= 2:
            end = 2 + int(struct.unpack_from(">H", self._incoming)[0])
            if len(self._incoming) < end:
                return
            message, self._incoming = self._incoming[2:end], self._incoming[end:]
            self._service.ask(message, self._reply, stream=True)

    def _reply(self, answer: bytes) -> None:
        if self._channel.fileno() < 0:
            return
        idle = not self._outgoing
        self._outgoing += struct.pack(">H", len(answer)) + answer
        if idle:
            self._loop.add_writer(self._channel.fileno(), self._writable)

    def _writable(self) -> None:
        try:
            sent = self._channel.send(self._outgoing)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self._outgoing = self._outgoing[sent:]
        if not self._outgoing:
            self._loop.remove_writer(self._channel.fileno())
