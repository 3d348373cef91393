"""Netlink sockets: messages, attributes and the kernel's answers (netlink(7)).

What the messages mean is not here: see `rtnetlink` for links, addresses and routes and `nftables`
for the firewall. Integers in headers are in the host's byte order, as the kernel wants them.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800

NLMSG_ERROR = 0x2
NLMSG_DONE = 0x3

_NLM_F_CAPPED = 0x100
_NLM_F_ACK_TLVS = 0x200
_NLMSGERR_ATTR_MSG = 1
_NLA_F_NESTED = 0x8000
_NLA_TYPE_MASK = 0x3FFF

_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_RECEIVE_BYTES = 1 << 17

RECEIVE_TIMEOUT_S = 20
"""The kernel answers in microseconds; it may say nothing at all to a message that is malformed."""


class NetlinkError(OSError):
    """The kernel refused a message; `strerror` ends with its own explanation when it gave one."""


class Message(NamedTuple):
    """One netlink message without its header's length, sequence number and port."""

    kind: int
    payload: bytes
    flags: int = 0
    what: str = "netlink message"  # for errors: "create bridge or-1f"


class Answer(NamedTuple):
    kind: int
    payload: bytes


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return _ATTRIBUTE.pack(len(payload) + 4, kind) + payload + bytes(-len(payload) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute made of *attributes*."""
    return attribute(kind | _NLA_F_NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """A NUL-terminated string attribute."""
    return attribute(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    """A 32-bit attribute in the host's byte order."""
    return attribute(kind, struct.pack("=I", value))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes in *data* in order, type flags removed; stops at what is malformed."""
    offset = 0
    while offset + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4 or offset + length > len(data):
            return
        yield kind & _NLA_TYPE_MASK, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3


class NetlinkSocket:
    """One netlink socket of the network namespace it was opened in. Not for several threads."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self._sequence = 0
        try:
            timeout = struct.pack("@ll", RECEIVE_TIMEOUT_S, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
            for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
            self._socket.bind((0, 0))
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> NetlinkSocket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def transact(self, messages: Sequence[Message]) -> None:
        """Send *messages* at once and wait for every acknowledgement.

        The kernel goes on after an error, so the first error is raised when all have answered.
        """
        what = self._send(messages, NLM_F_ACK)
        failed: NetlinkError | None = None
        while what:
            for sequence, kind, flags, payload in self._receive():
                if kind != NLMSG_ERROR or sequence not in what:
                    continue
                error = parse_error(flags, payload, what.pop(sequence))
                failed = failed or error
        if failed is not None:
            raise failed

    def dump(self, message: Message) -> list[Answer]:
        """All objects that *message* asks for."""
        what = self._send((message._replace(flags=message.flags | NLM_F_DUMP),), 0)
        answers: list[Answer] = []
        while True:
            for sequence, kind, flags, payload in self._receive():
                if sequence not in what:
                    continue
                if kind == NLMSG_DONE:
                    return answers
                if kind == NLMSG_ERROR:
                    error = parse_error(flags, payload, message.what)
                    if error is not None:
                        raise error
                    return answers
                answers.append(Answer(kind, payload))

    def batch(self, messages: Sequence[Message]) -> None:
        """Send *messages*, of which only some acknowledge, as one transaction of nfnetlink.

        The kernel works while we send: when send(2) returns, all answers lie in the socket.
        """
        what = self._send(messages, 0)
        failed: NetlinkError | None = None
        acknowledged = False
        while True:
            try:
                received = self._receive(socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            for sequence, kind, flags, payload in received:
                if kind == NLMSG_ERROR and sequence in what:
                    error = parse_error(flags, payload, what[sequence])
                    failed = failed or error
                    acknowledged = True
        if failed is not None:
            raise failed
        if not acknowledged:
            raise NetlinkError(errno.EIO, f"{messages[-1].what}: the kernel did not answer")

    def _send(self, messages: Sequence[Message], flags: int) -> dict[int, str]:
        """Send *messages*; what each sequence number was for."""
        parts: list[bytes] = []
        what: dict[int, str] = {}
        for message in messages:
            self._sequence += 1
            what[self._sequence] = message.what
            length = _HEADER.size + len(message.payload)
            bits = message.flags | flags | NLM_F_REQUEST
            parts.append(_HEADER.pack(length, message.kind, bits, self._sequence, 0))
            parts.append(message.payload)
            parts.append(bytes(-length % 4))
        data = b"".join(parts)
        if len(data) > _RECEIVE_BYTES:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(data))
        self._socket.sendto(data, (0, 0))
        return what

    def _receive(self, flags: int = 0) -> Iterator[tuple[int, int, int, bytes]]:
        """The messages of one datagram: sequence number, type, flags, payload."""
        try:
            return _split(self._socket.recv(_RECEIVE_BYTES, flags))
        except BlockingIOError as exc:
            if flags & socket.MSG_DONTWAIT:
                raise
            raise NetlinkError(errno.ETIMEDOUT, "the kernel does not answer") from exc


def _split(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, sequence, _port = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield sequence, kind, flags, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def parse_error(flags: int, payload: bytes, what: str) -> NetlinkError | None:
    """The error that an NLMSG_ERROR message carries; None for an acknowledgement."""
    (code,) = struct.unpack_from("=i", payload)
    if code == 0:
        return None
    explanation = ""
    if flags & _NLM_F_ACK_TLVS:
        start = 4 + _HEADER.size
        if not flags & _NLM_F_CAPPED:
            (length,) = struct.unpack_from("=I", payload, 4)
            start = 4 + ((length + 3) & ~3)
        for kind, value in attributes(payload[start:]):
            if kind == _NLMSGERR_ATTR_MSG:
                explanation = f" ({value.rstrip(bytes(1)).decode(errors='replace')})"
    return NetlinkError(-code, f"{what}: {os.strerror(-code)}{explanation}")
