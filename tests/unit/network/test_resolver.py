"""The name server, asked over loopback sockets as a container would."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest
from dnslib import RCODE, DNSRecord

from orchestra.network.dns import NameTable
from orchestra.network.registry import NamedEndpoint
from orchestra.network.resolver import Client, Service
from orchestra.supervisor.loop import Loop
from tests.unit.network.event_loop import turn_until

if TYPE_CHECKING:
    from collections.abc import Iterator

REPLICAS = 60
TABLE = NameTable(
    [NamedEndpoint("p-db-1", "p-db-1", "net", "10.0.0.2", "", ("db",))]
    + [
        NamedEndpoint(f"p-web-{n}", f"p-web-{n}", "net", f"10.0.1.{n}", "", ("web",))
        for n in range(REPLICAS)
    ]
)


@pytest.fixture
def loop() -> Iterator[Loop]:
    found = Loop()
    yield found
    found.close()


@pytest.fixture
def address(loop: Loop) -> Iterator[tuple[str, int]]:
    """Where the server listens, by UDP and TCP; it has nobody to forward to."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    tcp = socket.create_server(udp.getsockname())
    found = udp.getsockname()
    client = Client(("net",), tuple)
    service = Service(loop, lambda: TABLE, client, (udp.detach(), tcp.detach()))
    yield found
    service.close()


def ask(loop: Loop, address: tuple[str, int], message: bytes) -> DNSRecord:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        channel.sendto(message, address)
        answers: list[bytes] = []
        turn_until(loop, lambda: _received(channel, answers))
    return DNSRecord.parse(answers[0])


def _received(channel: socket.socket, answers: list[bytes]) -> bool:
    try:
        answers.append(channel.recv(65535))
    except BlockingIOError:
        return False
    return True


def test_a_container_is_found_by_udp(loop: Loop, address: tuple[str, int]) -> None:
    answer = ask(loop, address, bytes(DNSRecord.question("db").pack()))
    assert [str(record.rdata) for record in answer.rr] == ["10.0.0.2"]


def test_other_record_types_of_a_known_name_are_empty(loop: Loop, address: tuple[str, int]) -> None:
    for kind in ("AAAA", "MX", "TXT"):
        answer = ask(loop, address, bytes(DNSRecord.question("db", kind).pack()))
        assert (answer.header.rcode, answer.rr) == (RCODE.NOERROR, [])


def test_many_replicas_are_truncated_by_udp_and_whole_by_tcp(
    loop: Loop, address: tuple[str, int]
) -> None:
    message = bytes(DNSRecord.question("web").pack())
    assert ask(loop, address, message).header.tc == 1
    with socket.create_connection(address, timeout=5) as channel:
        channel.sendall(struct.pack(">H", len(message)) + message[:5])
        loop.run_once(0.1)
        channel.sendall(message[5:])
        channel.setblocking(False)
        answers: list[bytes] = []
        turn_until(loop, lambda: _received(channel, answers))
    assert len(DNSRecord.parse(answers[0][2:]).rr) == REPLICAS


def test_without_servers_to_forward_to_the_failure_comes_at_once(
    loop: Loop, address: tuple[str, int]
) -> None:
    answer = ask(loop, address, bytes(DNSRecord.question("example.org").pack()))
    assert answer.header.rcode == RCODE.SERVFAIL


def test_garbage_is_answered_as_such_and_the_server_lives_on(
    loop: Loop, address: tuple[str, int]
) -> None:
    assert ask(loop, address, b"\x12\x34" + bytes(14)).header.rcode == RCODE.FORMERR
    assert ask(loop, address, bytes(DNSRecord.question("db").pack())).rr
