"""Connections that the kernel tracks: finding UDP ones and forgetting them, by ctnetlink.

Attributes are those of <linux/netfilter/nfnetlink_conntrack.h>.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from orchestra.linux.netlink import Message, NetlinkError, attribute, attributes

if TYPE_CHECKING:
    from orchestra.linux.netlink import NetlinkSocket

_NFNL_SUBSYS_CTNETLINK = 1
_GET, _DELETE = 1, 2
_AF_UNSPEC = 0
_TUPLE_ORIGINAL = 1
_TUPLE_PROTOCOL = 2
_PROTOCOL_NUMBER, _DESTINATION_PORT = 1, 3
_UDP = 17
_NESTED = 0x8000


def forget_udp(netlink: NetlinkSocket, port: int) -> None:
    """Forget the UDP flows whose first datagram went to *port*.

    A flow keeps the translation it began with, so a client that does not change its own port would
    never see that the port leads elsewhere now.
    """
    wanted = {_PROTOCOL_NUMBER: bytes((_UDP,)), _DESTINATION_PORT: struct.pack(">H", port)}
    for answer in netlink.dump(_message(_GET, b"", "list connections")):
        original = dict(attributes(answer.payload[4:])).get(_TUPLE_ORIGINAL, b"")
        protocol = dict(attributes(dict(attributes(original)).get(_TUPLE_PROTOCOL, b"")))
        if wanted.items() <= protocol.items():
            family = answer.payload[0]
            payload = attribute(_TUPLE_ORIGINAL | _NESTED, original)
            try:
                netlink.transact((_message(_DELETE, payload, "forget a connection", family),))
            except NetlinkError as exc:
                if exc.errno != errno.ENOENT:
                    raise


def _message(kind: int, payload: bytes, what: str, family: int = _AF_UNSPEC) -> Message:
    header = struct.pack("=BBH", family, 0, 0)
    return Message(_NFNL_SUBSYS_CTNETLINK << 8 | kind, header + payload, 0, what)
