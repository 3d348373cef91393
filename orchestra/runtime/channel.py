"""The sync channel of a launch: one message per event, descriptors along with it.

A SOCK_SEQPACKET pair: messages keep their borders and the order of each writer, and the end of
file says that every process on the other side has gone or has executed its command.
"""

from __future__ import annotations

import array
import os
import socket

from orchestra.runtime.failure import MAX_FRAME, Failure, encode

STARTED = b"P"  # the container's first process exists: "PID TICKS"; from M its pidfd
NETWORK = b"N"  # what NetworkSetup.configure returned
TERMINAL = b"T"  # the master side of the terminal
READY = b"R"  # nothing is left but execve
FAILED = b"E"  # a Failure

_MAX_FDS = 64


def open_channel() -> tuple[socket.socket, socket.socket]:
    """(ours, the children's)."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(channel: socket.socket, kind: bytes, text: bytes = b"", fds: tuple[int, ...] = ()) -> None:
    """Send one message. Raises OSError when nobody listens any more."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    channel.sendmsg([kind, text], rights, socket.MSG_NOSIGNAL)


def send_failure(channel: socket.socket, failure: Failure) -> None:
    send(channel, FAILED, encode(failure))


def receive(channel: socket.socket, *, wait: bool) -> tuple[bytes, bytes, tuple[int, ...]]:
    """(kind, text, descriptors); kind is b"" at the end of file. Raises BlockingIOError."""
    flags = socket.MSG_CMSG_CLOEXEC | (0 if wait else socket.MSG_DONTWAIT)
    data, control, _, _ = channel.recvmsg(MAX_FRAME + 1, socket.CMSG_SPACE(_MAX_FDS * 4), flags)
    fds = array.array("i")
    for level, kind, payload in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return data[:1], data[1:], tuple(fds)


def close_all(fds: tuple[int, ...]) -> None:
    for fd in fds:
        os.close(fd)
