"""Files that are to survive a power cut, synced to the disk soon but not while somebody waits.

An fsync may take ten milliseconds on a busy disk, and `up` of fifty containers would wait for
fifty. What a power cut within that second takes away is a container that was just being made: its
directory is half-made then, and is discarded; the same `up` makes it again.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.network.base import EventLoop

_DELAY_S = 0.5


class SyncLater:
    """Paths to be synced, one between any two rounds of the loop."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._paths: list[str] = []

    @property
    def is_done(self) -> bool:
        return not self._paths

    def add(self, path: str) -> None:
        if not self._paths:
            self._loop.call_later(_DELAY_S, self._sync_one)
        self._paths.append(path)

    def _sync_one(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            fd = os.open(self._paths[-1], os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        self._paths.pop()
        if self._paths:
            self._loop.call_later(0.0, self._sync_one)
