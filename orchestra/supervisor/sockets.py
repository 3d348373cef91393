"""The supervisor's sockets: listening for the owner only, and receiving descriptors."""

from __future__ import annotations

import array
import contextlib
import os
import struct
from _socket import CMSG_LEN, MSG_CMSG_CLOEXEC, SCM_RIGHTS, SO_PEERCRED, SOL_SOCKET
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from _socket import socket as Socket  # noqa: N812 (a class, whatever its name)


def listen(path: str) -> socket.socket:
    """Listen on *path*, replacing a socket that nobody serves; mode 0600 in a 0700 directory."""
    import socket  # which a client has no need of: `light`

    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    mask = os.umask(0o177)
    try:
        _bind(listener, path)
    finally:
        os.umask(mask)
    listener.listen(64)
    listener.settimeout(0)
    return listener


def _bind(listener: socket.socket, path: str) -> None:
    """By way of /proc/self/fd when *path* is longer than sockaddr_un takes. unix(7)."""
    if len(os.fsencode(path)) < 108:
        listener.bind(path)
        return
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)


def receive_with_fds(connected: Socket, most_bytes: int, most_fds: int) -> tuple[bytes, list[int]]:
    """What comes next, with its descriptors, which no program started from here inherits.

    As socket.recv_fds(), which does not pass MSG_CMSG_CLOEXEC on (CPython 3.11). Raises OSError.
    """
    fds = array.array("i")
    room = CMSG_LEN(most_fds * fds.itemsize)
    content, messages, _, _ = connected.recvmsg(most_bytes, room, MSG_CMSG_CLOEXEC)
    for level, kind, data in messages:
        if (level, kind) == (SOL_SOCKET, SCM_RIGHTS):
            fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    return content, list(fds)


def peer_uid(connected: Socket) -> int:
    """The effective user who connected. unix(7), SO_PEERCRED."""
    credentials = struct.Struct("3i")
    content = connected.getsockopt(SOL_SOCKET, SO_PEERCRED, credentials.size)
    return int(credentials.unpack(content)[1])
