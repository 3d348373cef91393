from __future__ import annotations

import hashlib
import os
import select
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from orchestra.network.forward import DatagramForwarder, StreamForwarder
from orchestra.supervisor.loop import Loop
from tests.unit.network.event_loop import turn_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loop() -> Iterator[Loop]:
    found = Loop()
    yield found
    found.close()


def test_bytes_pass_both_ways_whole_and_in_order(loop: Loop) -> None:
    sent = os.urandom(3_000_000)
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        forwarder = StreamForwarder(loop, listener, server.getsockname())

        def echo() -> None:
            channel, _ = server.accept()
            with channel:
                while data := channel.recv(100_000):
                    channel.sendall(data)

        def ask() -> None:
            with socket.create_connection(listener.getsockname(), timeout=10) as channel:

                def write() -> None:
                    channel.sendall(sent)
                    channel.shutdown(socket.SHUT_WR)

                writer = threading.Thread(target=write)
                writer.start()
                while data := channel.recv(100_000):
                    received.append(data)
                writer.join()

        threads = [threading.Thread(target=target) for target in (echo, ask)]
        for thread in threads:
            thread.start()
        turn_until(loop, lambda: not any(thread.is_alive() for thread in threads), within_s=10)
        turn_until(loop, lambda: not forwarder._pairs)
        forwarder.close()
    assert hashlib.sha256(b"".join(received)).digest() == hashlib.sha256(sent).digest()


def test_a_backend_that_refuses_ends_the_connection(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = server.getsockname()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        forwarder = StreamForwarder(loop, listener, nobody)
        with socket.create_connection(listener.getsockname(), timeout=5) as client:
            turn_until(loop, lambda: _is_readable(client))
            assert client.recv(1) == b""
        forwarder.close()


def test_closing_cuts_connections_and_keeps_the_port(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        forwarder = StreamForwarder(loop, listener, server.getsockname())
        with socket.create_connection(listener.getsockname(), timeout=5) as client:
            turn_until(loop, lambda: bool(forwarder._pairs))
            forwarder.close()
            assert client.recv(1) == b""
            assert listener.fileno() >= 0


def test_datagrams_pass_and_every_client_has_its_own_answers(loop: Loop) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        server.bind(("127.0.0.1", 0))
        listener.bind(("127.0.0.1", 0))
        forwarder = DatagramForwarder(loop, listener, server.getsockname())
        for client, text in ((one, b"one"), (two, b"two")):
            client.sendto(text, listener.getsockname())
        turn_until(loop, lambda: _is_readable(server))
        for _ in range(2):
            turn_until(loop, lambda: _is_readable(server))
            data, peer = server.recvfrom(100)
            server.sendto(b"answer to " + data, peer)
        for client, text in ((one, b"one"), (two, b"two")):
            turn_until(loop, lambda client=client: _is_readable(client))  # type: ignore[misc]
            assert client.recv(100) == b"answer to " + text
        forwarder.close()


def _is_readable(channel: socket.socket) -> bool:
    return bool(select.select([channel], [], [], 0)[0])
