"""Directories of removed containers, deleted when there is nothing better to do.

A container disappears by one rename(2), whole; its thousands of files go afterwards, one container
at a time between other events. What a killed supervisor left is deleted by the next.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from orchestra.linux.remove_tree import remove_tree

if TYPE_CHECKING:
    from orchestra.engine.embedded.core import Drivers
    from orchestra.network.base import EventLoop

_DELAY_S = 0.02
"""Whoever waits for an answer is served first."""


class Trash:
    """The trash directory of one project."""

    def __init__(self, drivers: Drivers, project: str, loop: EventLoop) -> None:
        self._drivers = drivers
        self._directory = drivers.layout.trash(project)
        self._snapshot_name = os.path.basename(drivers.layout.snapshot(project, ""))
        self._loop = loop
        self._is_scheduled = False
        if os.path.isdir(self._directory):
            self._schedule(_DELAY_S)

    @property
    def is_empty(self) -> bool:
        return not self._is_scheduled

    def throw(self, directory: str) -> None:
        """Make *directory* disappear; accepts "gone"."""
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.rename(directory, os.path.join(self._directory, os.path.basename(directory)))
        self._schedule(_DELAY_S)

    def _schedule(self, delay_s: float) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_later(delay_s, self._empty_one)

    def _empty_one(self) -> None:
        self._is_scheduled = False
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return
        if not names:
            os.rmdir(self._directory)
            return
        path = os.path.join(self._directory, names[0])
        self._drivers.snapshots.remove(os.path.join(path, self._snapshot_name))
        with contextlib.suppress(FileNotFoundError):
            remove_tree(path)
        self._schedule(0.0)  # after the events that have come meanwhile
