"""Learns how containers end: from the reaper's exits file, or from pidfds when no reaper lives.

The reaper, parent of all containers, appends each exit to a file before it reaps; inotify says when
to read on. A container whose reaper was killed is init's child now: its pidfd tells when it ends,
and a recent kernel how.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.linux.constants import IN_MODIFY
from orchestra.linux.exitinfo import exit_status
from orchestra.linux.inotify import add_watch, inotify_init, read_events
from orchestra.runtime.statefile import parse_exits

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.network.base import EventLoop

_UNCLAIMED = 4096
"""Exits remembered of processes nobody watches (yet): orphans, and launches not yet known."""

REAPER_DELAY_S = 0.5
"""A process that ended so long ago and is not in the exits file has no reaper any more."""


class ExitWatcher:
    """Calls back once for every watched process, with its wait status or None when it is lost."""

    def __init__(self, exits_path: str, loop: EventLoop) -> None:
        """Makes *exits_path* if missing. Raises OSError."""
        self._loop = loop
        self._file = os.open(exits_path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._partial = b""
        self._unclaimed: dict[tuple[int, int], int] = {}
        self._watched: dict[tuple[int, int], tuple[int, Callable[[int | None], None]]] = {}
        self._inotify = inotify_init()
        add_watch(self._inotify.fileno(), exits_path, IN_MODIFY)
        loop.add_reader(self._inotify.fileno(), self._changed)
        self._read_on()

    def watch(
        self, pid: int, ticks: int, pidfd: int, callback: Callable[[int | None], None]
    ) -> None:
        """Call *callback* when process (*pid*, *ticks*) has ended; *pidfd* stays the caller's."""
        self._watched[pid, ticks] = (pidfd, callback)
        if (pid, ticks) in self._unclaimed:
            self._loop.call_later(0, self._deliver_known)
        else:
            self._loop.add_reader(pidfd, lambda: self._pidfd_ended(pid, ticks))

    def known_status(self, pid: int, ticks: int) -> int | None:
        """The recorded wait status of a process that is not watched."""
        self._read_on()
        return self._unclaimed.get((pid, ticks))

    def close(self) -> None:
        self._loop.remove_reader(self._inotify.fileno())
        self._inotify.close()
        os.close(self._file)

    def _changed(self) -> None:
        read_events(self._inotify.fileno())
        self._read_on()
        self._deliver_known()

    def _read_on(self) -> None:
        while content := os.read(self._file, 65536):
            lines, newline, rest = (self._partial + content).rpartition(b"\n")
            self._partial = rest
            self._unclaimed.update(parse_exits(lines + newline))
        while len(self._unclaimed) > _UNCLAIMED:
            del self._unclaimed[next(iter(self._unclaimed))]

    def _deliver_known(self) -> None:
        for key in [key for key in self._watched if key in self._unclaimed]:
            self._deliver(key, self._unclaimed.pop(key))

    def _deliver(self, key: tuple[int, int], status: int | None) -> None:
        watched = self._watched.pop(key, None)
        if watched is not None:
            pidfd, callback = watched
            self._loop.remove_reader(pidfd)
            callback(status)

    def _pidfd_ended(self, pid: int, ticks: int) -> None:
        """It is dead; the reaper's line is about to come, unless there is no reaper."""
        pidfd, _ = self._watched[pid, ticks]
        self._loop.remove_reader(pidfd)
        self._read_on()
        if (pid, ticks) in self._unclaimed:
            self._deliver_known()
        else:
            self._loop.call_later(REAPER_DELAY_S, lambda: self._give_up(pid, ticks))

    def _give_up(self, pid: int, ticks: int) -> None:
        if (pid, ticks) in self._watched:
            self._read_on()
            pidfd, _ = self._watched[pid, ticks]
            status = self._unclaimed.pop((pid, ticks), None)
            self._deliver(
                (pid, ticks), exit_status(pid, ticks, pidfd) if status is None else status
            )
