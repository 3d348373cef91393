"""The part of the DNS message format that a forwarding name server needs (RFC 1035 §4).

Only the question section is understood; what other servers say passes through as bytes. A query
that is not exactly one plain question raises ValueError.
"""

from __future__ import annotations

import struct

from orchestra.named import NamedTuple

TYPE_A = 1
TYPE_PTR = 12
TYPE_AAAA = 28
TYPE_OPT = 41
TYPE_ANY = 255
CLASS_IN = 1

NOERROR = 0
FORMERR = 1
SERVFAIL = 2
NXDOMAIN = 3
NOTIMP = 4
REFUSED = 5

PLAIN_UDP_BYTES = 512
MAX_UDP_BYTES = 4096

_HEADER = struct.Struct(">HHHHHH")
_RESPONSE = 0x8000
_AUTHORITATIVE = 0x0400
_TRUNCATED = 0x0200
_RECURSION_DESIRED = 0x0100
_RECURSION_AVAILABLE = 0x0080
_OPCODE = 0x7800
_NAME_POINTER_TO_QUESTION = b"\xc0\x0c"


class Query(NamedTuple):
    """One question."""

    id: int
    flags: int
    name: str  # lower case, without the final dot; "" is the root
    kind: int
    klass: int
    question: bytes  # as it was asked: goes back into the answer
    udp_bytes: int  # the largest answer that the asker takes by UDP


def parse_query(data: bytes) -> Query:
    """The question in *data*. Raises ValueError when it is not a standard query."""
    if len(data) < _HEADER.size:
        raise ValueError("shorter than a header")
    identity, flags, questions, answers, authorities, additional = _HEADER.unpack_from(data)
    if flags & (_RESPONSE | _OPCODE) or questions != 1 or answers or authorities:
        raise ValueError("not a query with one question")
    name, end = _parse_name(data, _HEADER.size)
    if end + 4 > len(data):
        raise ValueError("the question is cut off")
    kind, klass = struct.unpack_from(">HH", data, end)
    size = PLAIN_UDP_BYTES
    if additional and len(data) >= end + 15 and data[end + 4] == 0:
        record, payload_bytes = struct.unpack_from(">HH", data, end + 5)
        if record == TYPE_OPT:
            size = min(max(payload_bytes, PLAIN_UDP_BYTES), MAX_UDP_BYTES)
    return Query(identity, flags, name, kind, klass, data[_HEADER.size : end + 4], size)


def addresses_answer(query: Query, addresses: list[bytes], ttl_s: int) -> bytes:
    """A or AAAA records for *addresses*; none of them says "the name has no such record"."""
    records = (_record(query.kind, ttl_s, address) for address in addresses)
    return _answer(query, NOERROR, list(records))


def pointer_answer(query: Query, name: str, ttl_s: int) -> bytes:
    """A PTR record. Raises ValueError when *name* has labels that DNS cannot hold."""
    return _answer(query, NOERROR, [_record(TYPE_PTR, ttl_s, encode_name(name))])


def refusal(query: Query, code: int) -> bytes:
    """An answer without records and with the response code *code*."""
    return _answer(query, code, [])


def format_error(data: bytes) -> bytes | None:
    """What to say to something that is no query; None when it is not even worth that."""
    if len(data) < _HEADER.size:
        return None
    identity, flags = struct.unpack_from(">HH", data)
    if flags & _RESPONSE:
        return None
    return _HEADER.pack(identity, _RESPONSE | FORMERR, 0, 0, 0, 0)


def fit(answer: bytes, query: Query) -> bytes:
    """*answer*, or the question with the "truncated" bit when it is too long for UDP."""
    if len(answer) <= query.udp_bytes:
        return answer
    flags = struct.unpack_from(">H", answer, 2)[0] | _TRUNCATED
    return _HEADER.pack(query.id, flags, 1, 0, 0, 0) + query.question


def with_id(message: bytes, identity: int) -> bytes:
    return struct.pack(">H", identity) + message[2:]


def answers(message: bytes, identity: int, question: bytes) -> bool:
    """Whether *message* answers the question that was asked under *identity*."""
    if len(message) < _HEADER.size:
        return False
    found, flags = struct.unpack_from(">HH", message)
    echoed = message[_HEADER.size : _HEADER.size + len(question)].lower()
    same = echoed == question.lower() or message[4:6] == b"\0\0"
    return bool(found == identity and flags & _RESPONSE and same)


def encode_name(name: str) -> bytes:
    """*name* as labels. Raises ValueError for labels that DNS cannot hold."""
    encoded = b""
    for label in name.split(".") if name else ():
        data = label.encode("utf-8", "surrogateescape")
        if not 0 < len(data) < 64:
            raise ValueError(f"{name!r} is no domain name")
        encoded += bytes((len(data),)) + data
    return encoded + b"\0"


def _parse_name(data: bytes, offset: int) -> tuple[str, int]:
    labels: list[str] = []
    start = offset
    while offset < len(data):
        length = data[offset]
        offset += 1
        if length == 0:
            return ".".join(labels), offset
        if length > 63 or offset + length > len(data) or offset - start > 255:
            break
        label = data[offset : offset + length]
        labels.append(label.decode("utf-8", "surrogateescape").lower())
        offset += length
    raise ValueError("malformed name")


def _record(kind: int, ttl_s: int, data: bytes) -> bytes:
    head = struct.pack(">HHIH", kind, CLASS_IN, ttl_s, len(data))
    return _NAME_POINTER_TO_QUESTION + head + data


def _answer(query: Query, code: int, records: list[bytes]) -> bytes:
    flags = _RESPONSE | _RECURSION_AVAILABLE | (query.flags & _RECURSION_DESIRED) | code
    if code == NOERROR:
        flags |= _AUTHORITATIVE
    header = _HEADER.pack(query.id, flags, 1, len(records), 0, 0)
    return header + query.question + b"".join(records)
