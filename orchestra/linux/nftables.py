"""nf_tables over netlink: tables, chains, rules, sets and maps in atomic batches, without `nft`.

Objects and their attributes are those of <linux/netfilter/nf_tables.h>; `nftexpr` builds what rules
are made of. All integers in attributes are big-endian.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from orchestra.linux.netlink import (
    NETLINK_NETFILTER,
    NLM_F_ACK,
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_EXCL,
    Message,
    NetlinkSocket,
    attribute,
    attributes,
    nested,
    text,
)
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NFPROTO_INET = 1
NFPROTO_IPV4 = 2
NFPROTO_IPV6 = 10

HOOK_PREROUTING = 0
HOOK_FORWARD = 2
HOOK_OUTPUT = 3
HOOK_POSTROUTING = 4

PRIORITY_RAW = -300
PRIORITY_DNAT = -100
PRIORITY_FILTER = 0
PRIORITY_SNAT = 100

# nft's numbers of data types, so that `nft list ruleset` can print our sets
TYPE_IPV4 = 7
TYPE_IPV6 = 8
TYPE_PROTOCOL = 12
TYPE_PORT = 13
TYPE_IFNAME = 41

_NFNL_SUBSYS_NFTABLES = 10
_BATCH_BEGIN = 0x10
_BATCH_END = 0x11
_NEWTABLE, _GETTABLE, _DELTABLE, _NEWCHAIN = 0, 1, 2, 3
_NEWRULE, _GETRULE, _DELRULE = 6, 7, 8
_NEWSET, _NEWSETELEM, _GETSETELEM, _DELSETELEM = 9, 12, 13, 14
_GETCHAIN = 4

_SET_INTERVAL = 0x4
_SET_MAP = 0x8
_ELEMENT_INTERVAL_END = 0x1

_IFNAME_BYTES = 16
_NAMES = ((TYPE_IFNAME, _IFNAME_BYTES),)
_HOST_BYTE_ORDER = b"\0\4" + struct.pack("=I", 1)  # tells `nft` how to print names


class Set(NamedTuple):
    """A set, or a map when *value_types* is not empty. Types are (number, length in bytes)."""

    name: str
    key_types: tuple[tuple[int, int], ...]
    value_types: tuple[tuple[int, int], ...] = ()
    interval: bool = False


class Chain(NamedTuple):
    """A base chain."""

    name: str
    kind: str  # "filter" | "nat"
    hook: int
    priority: int


class Element(NamedTuple):
    key: bytes
    value: bytes = b""
    interval_end: bool = False


class Rule(NamedTuple):
    """A rule as the kernel lists it."""

    handle: int
    userdata: bytes


def field(value: bytes) -> bytes:
    """*value* as one part of a concatenation: padded to four bytes."""
    return value + bytes(-len(value) % 4)


def ifname(name: str) -> bytes:
    """A link's name as nf_tables compares it."""
    return name.encode().ljust(_IFNAME_BYTES, b"\0")


def interval(first: bytes, last: bytes) -> tuple[Element, ...]:
    """The elements that make *first* … *last* a member of an interval set."""
    start = Element(first)
    after = int.from_bytes(last, "big") + 1
    if after >> (8 * len(last)):
        return (start,)
    return (start, Element(after.to_bytes(len(last), "big"), interval_end=True))


class Batch:
    """Changes that the kernel makes all together or not at all."""

    def __init__(self, family: int) -> None:
        self._family = family
        self._messages: list[Message] = []
        self._sets = 0

    def add_table(self, table: str, *, exclusive: bool = False) -> None:
        """Raises EEXIST on commit when *exclusive* and it is there."""
        flags = NLM_F_CREATE | (NLM_F_EXCL if exclusive else 0)
        self._add(_NEWTABLE, text(1, table), flags, f"add table {table}")

    def delete_table(self, table: str) -> None:
        self._add(_DELTABLE, text(1, table), 0, f"delete table {table}")

    def add_chain(self, table: str, chain: Chain) -> None:
        hook = nested(4, _be32(1, chain.hook), _be32(2, chain.priority))
        payload = text(1, table) + text(3, chain.name) + hook + text(7, chain.kind)
        self._add(_NEWCHAIN, payload, NLM_F_CREATE, f"add chain {table} {chain.name}")

    def add_rule(
        self, table: str, chain: str, expressions: Iterable[bytes], *, userdata: bytes = b""
    ) -> None:
        """Append a rule."""
        payload = _rule(table, chain, expressions, userdata)
        what = f"add a rule to {table} {chain}"
        self._add(_NEWRULE, payload, NLM_F_CREATE | NLM_F_APPEND, what)

    def insert_rule(
        self, table: str, chain: str, expressions: Iterable[bytes], *, userdata: bytes = b""
    ) -> None:
        """Put a rule before all others."""
        payload = _rule(table, chain, expressions, userdata)
        self._add(_NEWRULE, payload, NLM_F_CREATE, f"insert a rule into {table} {chain}")

    def delete_rule(self, table: str, chain: str, handle: int) -> None:
        payload = text(1, table) + text(2, chain) + attribute(3, struct.pack(">Q", handle))
        self._add(_DELRULE, payload, 0, f"delete a rule of {table} {chain}")

    def add_set(self, table: str, description: Set) -> None:
        self._sets += 1
        flags = (_SET_INTERVAL if description.interval else 0) | (
            _SET_MAP if description.value_types else 0
        )
        payload = text(1, table) + text(2, description.name) + _be32(3, flags)
        payload += _be32(4, _concatenation(description.key_types))
        payload += _be32(5, _length(description.key_types))
        if description.value_types:
            payload += _be32(6, _concatenation(description.value_types))
            payload += _be32(7, _length(description.value_types))
        payload += _be32(10, self._sets)
        if description.key_types == _NAMES:
            payload += attribute(13, _HOST_BYTE_ORDER)
        self._add(_NEWSET, payload, NLM_F_CREATE, f"add set {table} {description.name}")

    def add_elements(
        self, table: str, name: str, elements: Sequence[Element], *, exclusive: bool = False
    ) -> None:
        """There already, with the same value: nothing happens. With another: EEXIST on commit."""
        flags = NLM_F_CREATE | (NLM_F_EXCL if exclusive else 0)
        what = f"add elements to {table} {name}"
        self._add(_NEWSETELEM, _elements(table, name, elements), flags, what)

    def delete_elements(self, table: str, name: str, elements: Sequence[Element]) -> None:
        """Raises ENOENT on commit when one is not there."""
        what = f"delete elements of {table} {name}"
        self._add(_DELSETELEM, _elements(table, name, elements), 0, what)

    def commit(self, netlink: NetlinkSocket) -> None:
        """Make the changes. Raises NetlinkError, then none was made."""
        if not self._messages:
            return
        last = self._messages[-1]
        messages = [*self._messages[:-1], last._replace(flags=last.flags | NLM_F_ACK)]
        resource = struct.pack("=BBH", 0, 0, _swap16(_NFNL_SUBSYS_NFTABLES))
        begin = Message(_BATCH_BEGIN, resource, 0, "begin a batch")
        end = Message(_BATCH_END, resource, 0, "end a batch")
        netlink.batch((begin, *messages, end))

    def _add(self, kind: int, payload: bytes, flags: int, what: str) -> None:
        self._messages.append(_message(kind, self._family, payload, flags, what))


def open_nftables() -> NetlinkSocket:
    """A socket for batches and lists. Raises OSError where the kernel has no nfnetlink."""
    return NetlinkSocket(NETLINK_NETFILTER)


def tables(netlink: NetlinkSocket, family: int) -> set[str]:
    """The names of the tables of *family*."""
    message = _message(_GETTABLE, family, b"", 0, "list tables")
    names = (dict(attributes(answer.payload[4:])).get(1, b"") for answer in netlink.dump(message))
    return {_string(name) for name in names}


def chain_policies(netlink: NetlinkSocket, family: int, table: str) -> dict[str, int | None]:
    """The chains of *table*, and the policy of base chains (0 is drop)."""
    found: dict[str, int | None] = {}
    message = _message(_GETCHAIN, family, text(1, table), 0, "list chains")
    for answer in netlink.dump(message):
        parts = dict(attributes(answer.payload[4:]))
        if _string(parts.get(1, b"")) != table:
            continue
        policy = struct.unpack(">I", parts[5])[0] if 5 in parts else None
        found[_string(parts.get(3, b""))] = policy
    return found


def rules(netlink: NetlinkSocket, family: int, table: str, chain: str) -> list[Rule]:
    """The rules of a chain."""
    payload = text(1, table) + text(2, chain)
    found: list[Rule] = []
    for answer in netlink.dump(_message(_GETRULE, family, payload, 0, "list rules")):
        parts = dict(attributes(answer.payload[4:]))
        if _string(parts.get(1, b"")) == table and _string(parts.get(2, b"")) == chain:
            found.append(Rule(struct.unpack(">Q", parts[3])[0], parts.get(7, b"")))
    return found


def elements(netlink: NetlinkSocket, family: int, table: str, name: str) -> list[Element]:
    """The members of a set or map."""
    found: list[Element] = []
    payload = text(1, table) + text(2, name)
    for answer in netlink.dump(_message(_GETSETELEM, family, payload, 0, "list elements")):
        for _kind, element in attributes(dict(attributes(answer.payload[4:])).get(3, b"")):
            parts = dict(attributes(element))
            end = struct.unpack(">I", parts.get(3, bytes(4)))[0] & _ELEMENT_INTERVAL_END
            found.append(Element(_value(parts.get(1, b"")), _value(parts.get(2, b"")), bool(end)))
    return found


def _message(kind: int, family: int, payload: bytes, flags: int, what: str) -> Message:
    header = struct.pack("=BBH", family, 0, 0)
    return Message(_NFNL_SUBSYS_NFTABLES << 8 | kind, header + payload, flags, what)


def _be32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value & 0xFFFFFFFF))


def _swap16(value: int) -> int:
    return int.from_bytes(struct.pack("=H", value), "big")


def _string(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")


def _value(data: bytes) -> bytes:
    return dict(attributes(data)).get(1, b"")


def _rule(table: str, chain: str, expressions: Iterable[bytes], userdata: bytes) -> bytes:
    payload = text(1, table) + text(2, chain) + nested(4, *expressions)
    return payload + attribute(7, userdata) if userdata else payload


def _elements(table: str, name: str, members: Sequence[Element]) -> bytes:
    encoded: list[bytes] = []
    for member in members:
        parts = [nested(1, attribute(1, member.key))]
        if member.value:
            parts.append(nested(2, attribute(1, member.value)))
        if member.interval_end:
            parts.append(_be32(3, _ELEMENT_INTERVAL_END))
        encoded.append(nested(1, *parts))
    return text(1, table) + text(2, name) + nested(3, *encoded)


def _concatenation(types: tuple[tuple[int, int], ...]) -> int:
    """The type number of a concatenation: six bits for each part."""
    number = 0
    for kind, _length_bytes in types:
        number = number << 6 | kind
    return number


def _length(types: tuple[tuple[int, int], ...]) -> int:
    if len(types) == 1:
        return types[0][1]
    return sum((length + 3) & ~3 for _kind, length in types)
