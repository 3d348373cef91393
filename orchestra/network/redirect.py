"""The container's end of 127.0.0.11: sockets on a high port, and the redirection of port 53.

Called inside the container's network namespace. Port 53 itself stays free, since a container may
be a name server on 0.0.0.0:53. The port is derived from the container's id, so that a new
supervisor opens the same one again and the redirection in the kernel still holds.
"""

from __future__ import annotations

import errno
import socket
import zlib
from typing import TYPE_CHECKING

from orchestra.linux import nftables as nft
from orchestra.linux import nftexpr as ex

if TYPE_CHECKING:
    from collections.abc import Iterable

ADDRESS = "127.0.0.11"
_PORT = 53
_TABLE = "orchestra-dns"
_FIRST_PORT, _PORTS = 20000, 12000  # below the ports that the kernel hands out itself
_ATTEMPTS = 100


Sockets = tuple[socket.socket, socket.socket]


def open_server(container_id: str) -> Sockets:
    """The UDP and the listening TCP socket that get what is sent to port 53 of 127.0.0.11.

    Where the kernel has no nf_tables they are bound to port 53 itself.
    """
    preferred = zlib.crc32(container_id.encode()) % _PORTS
    udp, tcp = _open_sockets(
        _FIRST_PORT + (preferred + attempt * 7) % _PORTS for attempt in range(_ATTEMPTS)
    )
    try:
        _redirect(udp.getsockname()[1])
    except OSError:
        udp.close()
        tcp.close()
        return _open_sockets((_PORT,))
    return udp, tcp


def _open_sockets(ports: Iterable[int]) -> Sockets:
    """The sockets on the first of *ports* that is free for both."""
    for port in ports:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            udp.bind((ADDRESS, port))
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind((ADDRESS, port))
            tcp.listen(16)
        except OSError as exc:
            udp.close()
            tcp.close()
            if exc.errno != errno.EADDRINUSE:
                raise
        else:
            return udp, tcp
    raise OSError(errno.EADDRINUSE, f"no free port on {ADDRESS}")


def _redirect(port: int) -> None:
    """Lead port 53 of 127.0.0.11 to *port*, replacing an earlier redirection."""
    with nft.open_nftables() as netlink:
        batch = nft.Batch(nft.NFPROTO_IPV4)
        if _TABLE in nft.tables(netlink, nft.NFPROTO_IPV4):
            batch.delete_table(_TABLE)
        batch.add_table(_TABLE)
        batch.add_chain(_TABLE, nft.Chain("output", "nat", nft.HOOK_OUTPUT, nft.PRIORITY_DNAT))
        batch.add_rule(
            _TABLE,
            "output",
            (
                ex.payload(ex.NETWORK_HEADER, 16, 4),
                ex.equals(socket.inet_aton(ADDRESS)),
                ex.payload(ex.TRANSPORT_HEADER, 2, 2),
                ex.equals(_PORT.to_bytes(2, "big")),
                ex.immediate(socket.inet_aton(ADDRESS), 0),
                ex.immediate(port.to_bytes(2, "big"), 1),
                ex.dnat(nft.NFPROTO_IPV4, address=0, port=1),
            ),
        )
        batch.commit(netlink)
