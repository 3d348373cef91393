"""The expressions that nf_tables rules are made of, as netlink attributes.

A rule is a sequence of expressions: the first ones load something of the packet into registers and
compare it, the last one decides. Registers are the 32-bit ones, numbered from 0 here.
Numbers are from <linux/netfilter/nf_tables.h>.
"""

from __future__ import annotations

import struct

from orchestra.linux.netlink import attribute, nested, text

META_IIFNAME = 6
META_OIFNAME = 7
META_L4PROTO = 16

CT_ESTABLISHED_OR_RELATED = 0x2 | 0x4
CT_STATUS_DNAT = 0x20

NETWORK_HEADER = 1
TRANSPORT_HEADER = 2

_NFT_REG32_00 = 8
_VERDICT_REGISTER = 0
_DROP, _ACCEPT = 0, 1
_RTN_LOCAL = 2
_EQUAL, _NOT_EQUAL = 0, 1


def meta(key: int, register: int = 0) -> bytes:
    """Load a property of the packet: META_IIFNAME (four registers), META_L4PROTO, …"""
    return _expression("meta", _be32(1, _NFT_REG32_00 + register), _be32(2, key))


def payload(header: int, offset: int, length: int, register: int = 0) -> bytes:
    """Load *length* bytes of the network or transport header."""
    return _expression(
        "payload",
        _be32(1, _NFT_REG32_00 + register),
        _be32(2, header),
        _be32(3, offset),
        _be32(4, length),
    )


def equals(value: bytes, register: int = 0) -> bytes:
    """Go on when the register begins with *value*."""
    return _compare(_EQUAL, value, register)


def differs(value: bytes, register: int = 0) -> bytes:
    return _compare(_NOT_EQUAL, value, register)


def masked(mask: bytes, register: int = 0) -> bytes:
    """Keep only the bits of *mask*."""
    number = _be32(1, _NFT_REG32_00 + register) + _be32(2, _NFT_REG32_00 + register)
    zero = nested(5, attribute(1, bytes(len(mask))))
    return _expression("bitwise", number, _be32(3, len(mask)), nested(4, attribute(1, mask)), zero)


def member(set_name: str, register: int = 0) -> bytes:
    """Go on when the register's content is in the set."""
    return _expression("lookup", text(1, set_name), _be32(2, _NFT_REG32_00 + register))


def not_member(set_name: str, register: int = 0) -> bytes:
    return _expression("lookup", text(1, set_name), _be32(2, _NFT_REG32_00 + register), _be32(5, 1))


def mapped(map_name: str, register: int = 0, result: int = 0) -> bytes:
    """Replace the register's content by what the map has for it; go on when it has something."""
    return _expression(
        "lookup",
        text(1, map_name),
        _be32(2, _NFT_REG32_00 + register),
        _be32(3, _NFT_REG32_00 + result),
    )


def immediate(value: bytes, register: int = 0) -> bytes:
    return _expression(
        "immediate", _be32(1, _NFT_REG32_00 + register), nested(2, attribute(1, value))
    )


def is_local_destination() -> bytes:
    """Go on when the destination is an address of this host: `fib daddr type local`."""
    register = _NFT_REG32_00
    return _expression("fib", _be32(1, register), _be32(2, 3), _be32(3, 2)) + equals(
        struct.pack("=I", _RTN_LOCAL)
    )


def connection_state(bits: int) -> bytes:
    """Go on when conntrack's state is one of *bits*."""
    return _connection(0, bits)


def connection_status(bits: int) -> bytes:
    return _connection(2, bits)


def dnat(family: int, *, address: int, port: int) -> bytes:
    """Rewrite the destination to what registers *address* and *port* hold."""
    return _expression(
        "nat",
        _be32(1, 1),
        _be32(2, family),
        _be32(3, _NFT_REG32_00 + address),
        _be32(5, _NFT_REG32_00 + port),
    )


def masquerade() -> bytes:
    return _expression("masq")


def accept() -> bytes:
    return _verdict(_ACCEPT)


def drop() -> bytes:
    return _verdict(_DROP)


def _connection(key: int, bits: int) -> bytes:
    load = _expression("ct", _be32(1, _NFT_REG32_00), _be32(2, key))
    return load + masked(struct.pack("=I", bits)) + differs(bytes(4))


def _compare(operation: int, value: bytes, register: int) -> bytes:
    return _expression(
        "cmp",
        _be32(1, _NFT_REG32_00 + register),
        _be32(2, operation),
        nested(3, attribute(1, value)),
    )


def _verdict(code: int) -> bytes:
    data = nested(2, nested(2, _be32(1, code)))
    return _expression("immediate", _be32(1, _VERDICT_REGISTER), data)


def _expression(name: str, *parts: bytes) -> bytes:
    return nested(1, text(1, name), nested(2, *parts))


def _be32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value))
