"""The container's end of 127.0.0.11: sockets on a high port, and the redirection of port 53.

Called inside the container's network namespace. Port 53 itself stays free, since a container may
be a name server on 0.0.0.0:53. The port is derived from the container's id, so that a new
supervisor opens the same one again and the redirection in the kernel still holds.
"""

from __future__ import annotations

import errno
import socket
import zlib

from orchestra.linux import nftables as nft
from orchestra.linux import nftexpr as ex

ADDRESS = "127.0.0.11"
_TABLE = "orchestra-dns"
_FIRST_PORT, _PORTS = 20000, 12000  # below the ports that the kernel hands out itself
_ATTEMPTS = 100


def open_sockets(container_id: str) -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket on one port of 127.0.0.11."""
    preferred = zlib.crc32(container_id.encode()) % _PORTS
    for attempt in range(_ATTEMPTS):
        port = _FIRST_PORT + (preferred + attempt * 7) % _PORTS
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


def redirect(port: int) -> None:
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
                ex.equals((53).to_bytes(2, "big")),
                ex.immediate(socket.inet_aton(ADDRESS), 0),
                ex.immediate(port.to_bytes(2, "big"), 1),
                ex.dnat(nft.NFPROTO_IPV4, address=0, port=1),
            ),
        )
        batch.commit(netlink)
