"""The supervisor's sockets: listening for the owner only, and receiving descriptors."""

from __future__ import annotations

import contextlib
import os
import socket
import struct


def listen(path: str) -> socket.socket:
    """Listen on *path*, replacing a socket that nobody serves; mode 0600 in a 0700 directory."""
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


def receive_with_fds(
    connected: socket.socket, most_bytes: int, most_fds: int
) -> tuple[bytes, list[int]]:
    """What comes next, with its descriptors, which no program started from here inherits.

    socket.recv_fds() does not pass MSG_CMSG_CLOEXEC on (CPython 3.11). Raises OSError.
    """
    content, fds, _, _ = socket.recv_fds(connected, most_bytes, most_fds)
    for fd in fds:
        os.set_inheritable(fd, False)  # noqa: FBT003 (positional only)
    return content, fds


def peer_uid(connected: socket.socket) -> int:
    """The effective user who connected. unix(7), SO_PEERCRED."""
    credentials = struct.Struct("3i")
    content = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    return int(credentials.unpack(content)[1])
