"""Following containers' logs: inotify(7) tells when there is more to read, or no more to come."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

from orchestra.linux.constants import IN_CREATE, IN_DELETE_SELF, IN_MODIFY, IN_MOVED_TO
from orchestra.linux.inotify import add_watch, inotify_init, read_events
from orchestra.runtime.logread import Log, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.runtime.logread import LogLine


class Changes:
    """Waits until one of several logs, or the state of one of their containers, has changed."""

    def __init__(self) -> None:
        """Raises OSError (EMFILE: fs.inotify.max_user_instances)."""
        self._inotify = inotify_init()
        self._watches: dict[int, str] = {}

    def fileno(self) -> int:
        return self._inotify.fileno()

    def add(self, key: str, container_dir: str, log_dir: str) -> None:
        """Report *key* when the log grows or the state in *container_dir* is replaced.

        Raises OSError (ENOENT) when the container is gone.
        """
        os.makedirs(log_dir, mode=0o700, exist_ok=True)
        watch = add_watch(self._inotify.fileno(), log_dir, IN_MODIFY | IN_CREATE)
        self._watches[watch] = key
        watch = add_watch(self._inotify.fileno(), container_dir, IN_MOVED_TO | IN_DELETE_SELF)
        self._watches[watch] = key

    def wait(self, timeout_s: float | None = None) -> frozenset[str]:
        """The keys of what has changed; empty after *timeout_s*."""
        if not select.select([self._inotify], [], [], timeout_s)[0]:
            return frozenset()
        events = read_events(self._inotify.fileno())
        return frozenset(self._watches[e.watch] for e in events if e.watch in self._watches)

    def close(self) -> None:
        self._inotify.close()


def follow(
    directory: str,
    container_dir: str,
    is_over: Callable[[], bool],
    span: Span = Span(),  # noqa: B008
) -> Iterator[LogLine]:
    """The lines of *span*, then new ones as they come, until *is_over* when nothing is left."""
    log, changes = Log(directory), Changes()
    try:
        changes.add("", container_dir, directory)
        yield from log.begin(span)
        over = is_over()
        while not over:
            changes.wait()
            over = is_over()  # before the last look, so that nothing written before it is missed
            yield from log.new_lines()
        yield from log.unfinished()
    finally:
        log.close()
        changes.close()
