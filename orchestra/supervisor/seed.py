"""A process that will be a project's reaper and supervisor, forked before the project is known.

`up` forks it first of all. While the command reads the compose file and plans, the seed imports all
that a supervisor needs, beside it on another processor: 50 of 130 ms of an `up` of one service.
It is told the project when there is no supervisor yet, and becomes what the command would have
forked then. When the command ends or does not need it, it ends.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

from orchestra.supervisor.parking import ParkingLot
from orchestra.supervisor.sockets import receive_with_fds
from orchestra.supervisor.spawn import Birth

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_LONGEST_NAME = 4096


class Seed:
    """The command's side."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    @classmethod
    def plant(
        cls, warm_up: Callable[[], None], grow: Callable[[str, Birth], NoReturn]
    ) -> Seed | None:
        """Fork a seed, which calls *warm_up* now and *grow* with the project; None: cannot fork.

        The caller has no threads and holds no locks.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            return None
        if pid == 0:
            try:
                ours.close()
                _wait(theirs, warm_up, grow)
            finally:
                os._exit(1)  # a supervisor that crashes and cannot even say so is to be followed
        theirs.close()
        return cls(ours)

    def grow(self, project: str, birth: Birth, listener: socket.socket) -> bool:
        """Let the seed become the reaper and supervisor of *project*; False when it has died."""
        fds = (*birth.lot.filenos(), listener.fileno())
        try:
            socket.send_fds(self._channel, [project.encode()], fds)
        except OSError:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        """It is not needed, or not any more."""
        self._channel.close()


def _wait(
    channel: socket.socket, warm_up: Callable[[], None], grow: Callable[[str, Birth], NoReturn]
) -> None:
    warm_up()
    name, fds = receive_with_fds(channel, _LONGEST_NAME, 3)  # the reaper must not listen
    channel.close()
    if name and len(fds) == 3:
        lot = ParkingLot.inherited(fds[0], fds[1])
        grow(name.decode(), Birth(lot, socket.socket(fileno=fds[2]), forked=True))
