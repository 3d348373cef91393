"""Fds that outlive the supervisor: in flight inside a pair of sockets that the reaper holds open.

Sending an fd over a socket keeps its file open until somebody receives it. Supervisor and reaper
both hold both ends of a pair; the supervisor sends what must survive it (reading ends of FIFOs, so
that output written while nobody reads is not dropped when the container exits; terminals' master
sides, so that they do not hang up). The reaper does nothing at all for it. The next supervisor
finds all fds in the queue. unix(7), SCM_RIGHTS.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import sys
import termios

_KEY_BYTES = 96
_MOST_FDS = 8
_SO_SNDBUFFORCE = 32
_QUEUE_BYTES = 4 << 20
"""Room for some thousand entries, of which the kernel counts 768 bytes each."""

_SLACK = 32
"""Entries of ended containers that may lie in the queue before it is swept."""


class ParkingLot:
    """A queue of (key, fds). Of several entries with one key the last one sent counts."""

    def __init__(self, entry: socket.socket, exit_: socket.socket) -> None:
        self._entry = entry
        self._exit = exit_
        for end in (entry, exit_):
            end.settimeout(0)
        self._parked: dict[str, tuple[int, ...]] = {}
        self._queued = 0

    @classmethod
    def new(cls) -> ParkingLot:
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            pair[0].setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _QUEUE_BYTES)
        except PermissionError:  # no CAP_NET_ADMIN: as much as the host gives to everybody
            pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _QUEUE_BYTES)
        return cls(*pair)

    @classmethod
    def inherited(cls, entry: int, exit_: int) -> ParkingLot:
        """The lot whose ends have these descriptors in this process."""
        for fd in (entry, exit_):
            os.set_inheritable(fd, False)  # noqa: FBT003 (positional only)
        return cls(socket.socket(fileno=entry), socket.socket(fileno=exit_))

    def filenos(self) -> tuple[int, int]:
        return self._entry.fileno(), self._exit.fileno()

    def close(self) -> None:
        """Give our ends up."""
        self._entry.close()
        self._exit.close()

    def park(self, key: str, fds: tuple[int, ...]) -> None:
        """Keep *fds* (ours as well from now on) for *key*; replaces what it had."""
        if not fds:
            return
        self._parked[key] = fds
        self._send(key, fds)

    def forget(self, key: str) -> None:
        """What is kept for *key* is of no use any more."""
        self._parked.pop(key, None)
        if self._queued > 2 * len(self._parked) + _SLACK:
            self._sweep()

    def _send(self, key: str, fds: tuple[int, ...]) -> bool:
        """False when the queue is full (thousands of containers): then this one is not kept."""
        try:
            socket.send_fds(self._entry, [key.encode().ljust(_KEY_BYTES)[:_KEY_BYTES]], list(fds))
        except OSError:
            return False
        self._queued += 1
        return True

    def _sweep(self) -> None:
        """Send the live ones anew, then take as many as lay there before: never one missing."""
        before = self._queued
        for key, fds in self._parked.items():
            self._send(key, fds)
        for _ in range(before):
            taken = self._receive()
            if taken is None:
                break
            for fd in taken[1]:
                os.close(fd)

    def _receive(self, flags: int = 0) -> tuple[str, tuple[int, ...]] | None:
        room = socket.CMSG_LEN(_MOST_FDS * array.array("i").itemsize)
        try:
            content, messages, _, _ = self._exit.recvmsg(
                _KEY_BYTES, room, socket.MSG_CMSG_CLOEXEC | flags
            )
        except BlockingIOError:
            return None
        if not content:
            return None
        self._queued -= 0 if flags else 1
        fds = array.array("i")
        for level, kind, payload in messages:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) // fds.itemsize * fds.itemsize])
        return content.decode(errors="replace").strip(), tuple(fds)

    def collect(self) -> dict[str, tuple[int, ...]]:
        """Everything that was parked by the last supervisor; the caller owns the fds.

        They stay in the queue too: each entry goes to the end of it before it is taken from its
        head, so that being killed in between loses none.
        """
        kept: dict[str, tuple[int, ...]] = {}
        self._queued = self._waiting()
        for _ in range(self._queued):
            entry = self._receive(socket.MSG_PEEK)
            if entry is None:
                break
            key, fds = entry
            for fd in kept.get(key, ()):
                os.close(fd)
            kept[key] = fds
            has_room = self._send(key, fds)
            taken = self._receive()
            for fd in taken[1] if taken is not None else ():
                os.close(fd)
            if not has_room:
                self._send(key, fds)
        return kept

    def _waiting(self) -> int:
        """How many entries lie in the queue. unix(7), SIOCINQ."""
        content = fcntl.ioctl(self._exit.fileno(), termios.FIONREAD, bytes(4))
        return int.from_bytes(content, sys.byteorder) // _KEY_BYTES
