"""Where the view has its data from: state files, cgroups and logs. Changes nothing."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING

from orchestra.cli.ui.rows import rows_of
from orchestra.ops.container_stats import Sampler
from orchestra.ops.logs import Follower
from orchestra.ops.target import Target, check_services, find_containers
from orchestra.runtime.logread import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.cli.ui.rows import Row
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.ops.logs import LogEvent

LINES = 2000
"""So many lines of a log can be scrolled through."""

AT_ONCE_S = 0.05
"""So long is read before the terminal gets its turn again."""


class Observer:
    """A project, looked at again and again."""

    def __init__(self, host: Host, target: Target) -> None:
        """Raises NotFound for an unknown service of *target*."""
        self._layout = host.layout
        self._sampler = Sampler(host)
        self._target = target
        check_services(target, find_containers(self._layout, Target(target.project), oneoffs=True))

    @property
    def project(self) -> str:
        return self._target.project

    def look(self) -> tuple[Row, ...]:
        """What is there now; a project that has gone has nothing. Raises PermissionDenied."""
        chosen = self._target.services
        containers = find_containers(self._layout, Target(self.project), oneoffs=True)
        stats = self._sampler.look(
            state
            for state in containers
            if not chosen or state.service in chosen or state.name in chosen
        )
        return rows_of(stats, chosen or self._target.declared or ())

    def tail(self, container: ContainerState) -> LogTail | None:
        """The log of *container*; None when it has just been removed."""
        if not os.path.isdir(self._layout.container(container.project, container.id)):
            return None
        return LogTail(
            Follower(self._layout, container.project, lambda state: state.id == container.id),
            container,
        )


class LogTail:
    """The last lines of one container's log, then those that come."""

    def __init__(self, follower: Follower, container: ContainerState) -> None:
        self._follower = follower
        self._source: Iterator[LogEvent] = follower.begin([container], Span(tail=LINES))
        self._has_more = True

    def fileno(self) -> int:
        """Readable when there is something new."""
        return self._follower.fileno()

    @property
    def has_more(self) -> bool:
        """Was the last `read` broken off?"""
        return self._has_more

    def read(self) -> tuple[str, ...]:
        """The lines that have come, at most the last LINES of them, within AT_ONCE_S."""
        if not self._has_more:
            self._source = self._follower.wait(0)
        lines: deque[bytes] = deque(maxlen=LINES)
        deadline_s = time.monotonic() + AT_ONCE_S
        self._has_more = False
        for event in self._source:
            if event.line is not None:
                lines.append(event.line.text)
            if time.monotonic() > deadline_s:
                self._has_more = True
                break
        return tuple(line.decode(errors="replace").rstrip("\r\n") for line in lines)

    def close(self) -> None:
        self._follower.close()
