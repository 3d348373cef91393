"""`logs`: what containers have written, and with `follow` what they write; no supervisor needed.

Lines of several containers are merged by time. `Follower` is what `up` in the foreground uses too.
"""

from __future__ import annotations

import heapq
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE, Status
from orchestra.named import NamedTuple
from orchestra.ops.target import Target, any_container, find_containers, is_meant, is_orphan
from orchestra.runtime.logread import Log, LogLine, Span
from orchestra.runtime.statefile import container_ids, read_states, read_stored_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState

_LOOK_AGAIN_S = 5.0
_WRITTEN_WITHIN_S = 4.0
"""How soon the end of a container is noticed whose supervisor was killed and writes no state."""


class LogOptions(NamedTuple):
    """*number* 0 is every container of the services."""

    follow: bool = False
    span: Span = Span()
    number: int = 0


class LogEvent(NamedTuple):
    """A line of a container, or that it has ended (*line* is None then)."""

    container: ContainerState
    line: LogLine | None = None
    is_hook: bool = False  # a line of one of its hooks, which is in no log

    @property
    def label(self) -> str:
        """A made-up name without the project's: "web-1"; "web-1 ->" for its hooks."""
        name, project = self.container.name, self.container.project
        for separator in "-_":
            if name.startswith(f"{project}{separator}{self.container.service}{separator}"):
                name = name[len(project) + 1 :]
                break
        return f"{name} ->" if self.is_hook else name


def read_logs(layout: Layout, target: Target, options: LogOptions) -> Iterator[LogEvent]:
    """The lines of the containers of *target*; with `follow` until all of them have ended.

    Raises NotFound for unknown services, and for a number that no container has.
    """
    if options.number:
        any_container(layout, target, index=options.number)
    containers = [
        container
        for container in find_containers(layout, target, orphans=False)
        if options.number in (0, container.number)
    ]
    if options.follow:
        return _follow(layout, target, options, containers)
    return _merged(
        (container, _open(layout, container).read(options.span)) for container in containers
    )


def read_blocks(layout: Layout, container: ContainerState) -> Iterator[tuple[int, bytes]]:
    """All that *container* has written, as (stream, bytes): many times faster than by line."""
    return _open(layout, container).blocks()


def _follow(
    layout: Layout, target: Target, options: LogOptions, containers: list[ContainerState]
) -> Iterator[LogEvent]:
    def is_wanted(container: ContainerState) -> bool:
        return (
            is_meant(target, container)
            and not is_orphan(container, target)
            and options.number in (0, container.number)
        )

    follower = Follower(layout, target.project, is_wanted)
    try:
        yield from follower.begin(containers, options.span)
        while follower.has_running():
            yield from follower.wait()
    finally:
        follower.close()


class Follower:
    """Several containers' logs and ends as they happen, those of new containers included."""

    def __init__(
        self, layout: Layout, project: str, is_wanted: Callable[[ContainerState], bool]
    ) -> None:
        from orchestra.runtime.logfollow import Changes  # who only reads does without

        self._layout = layout
        self._project = project
        self._is_wanted = is_wanted
        self._changes = Changes()
        self._logs: dict[str, Log] = {}
        self._states: dict[str, ContainerState] = {}
        self._passed_over: set[str] = set()  # containers that are not wanted
        self._unwritten: dict[tuple[str, int], float] = {}  # ends; see `_settled`
        with suppress(OSError):  # a project without containers yet
            directory = layout.containers(project)
            self._changes.add("", layout.project(project), directory)

    def fileno(self) -> int:
        """Readable when `wait` has something to say."""
        return self._changes.fileno()

    def has_running(self) -> bool:
        """Does any container that is followed run, as far as is known?"""
        return any(state.status in ALIVE for state in self._states.values())

    def begin(self, containers: Iterable[ContainerState], span: Span) -> Iterator[LogEvent]:
        """Follow *containers*; what *span* holds of their logs."""
        sources = []
        for container in map(self._settled, containers):
            log = self._add(container)
            if log is not None:
                sources.append((container, _old_lines(log, container, span)))
        yield from _merged(iter(sources))

    def begin_at_end(self, containers: Iterable[ContainerState]) -> Iterator[LogEvent]:
        """Follow *containers* from now on; what they have written before is passed over."""
        return self.begin([c for c in containers if self._is_wanted(c)], Span(tail=0))

    def wait(self, timeout_s: float = _LOOK_AGAIN_S) -> Iterator[LogEvent]:
        """Wait for a change, or *timeout_s*, and tell what is new."""
        keys = self._changes.wait(timeout_s)
        if not keys:
            yield from self.look()
            return
        if "" in keys or not keys <= self._logs.keys():
            keys |= self._discover()
        yield from self._look_at(keys)

    def look(self) -> Iterator[LogEvent]:
        """What is new anywhere, without waiting: lines in the order of time, then the ends."""
        self._discover()
        present = {c.id: self._settled(c) for c in read_states(self._layout, self._project)}
        yield from self._news({key: present.get(key) for key in self._logs})

    def _settled(self, container: ContainerState) -> ContainerState:
        """*container*, as it was before its end until the supervisor has written that down.

        Its process is gone earlier, when the last it wrote may not yet be in the log. Nobody writes
        anything down once supervisor and reaper have been killed: that is waited for a while only.
        """
        if container.status in ALIVE:
            return container
        stored = read_stored_state(self._layout, self._project, container.id)
        if stored is None or stored.status not in ALIVE:
            return stored or container
        now_s = time.monotonic()
        first_s = self._unwritten.setdefault((container.id, stored.started_ns), now_s)
        return container if now_s - first_s > _WRITTEN_WITHIN_S else stored

    def _look_at(self, keys: Iterable[str]) -> Iterator[LogEvent]:
        """What is new of the containers *keys*: the cost does not grow with the others."""
        read = partial(read_stored_state, self._layout, self._project)
        yield from self._news({key: read(key) for key in keys if key in self._logs})

    def _discover(self) -> set[str]:
        """Begin to follow new containers from their first line on; which ones.

        One that is just being made has no state yet: it is watched until it has. One that has
        already ended is taken for one that is about to, so that its end is told.
        """
        found: set[str] = set()
        for identifier in container_ids(self._layout, self._project):
            if identifier in self._logs or identifier in self._passed_over:
                continue
            state = read_stored_state(self._layout, self._project, identifier)
            if state is None and self._watch(identifier):
                state = read_stored_state(self._layout, self._project, identifier)
            if state is None:
                continue
            if self._is_wanted(state):
                self._add(state._replace(status=Status.CREATED, finished_ns=0))
                found.add(identifier)
            else:
                self._passed_over.add(identifier)
        return found & self._logs.keys()

    def _news(self, states: Mapping[str, ContainerState | None]) -> Iterator[LogEvent]:
        """*states* are those of now; None for a container that has been removed."""
        ends: list[LogEvent] = []
        sources = []
        for key, now in states.items():
            log, before = self._logs[key], self._states[key]
            ended = now is not None and _has_ended(before, now)
            over = now is None or now.status not in ALIVE or ended
            sources.append((before, _new_lines(log, over=over)))
            if ended and now is not None:
                ends.append(LogEvent(now))
            if now is not None:
                self._states[key] = now
        yield from _merged(iter(sources))
        for key, now in states.items():
            if now is None:
                self._drop(key)
        yield from ends

    def close(self) -> None:
        for log in self._logs.values():
            log.close()
        self._changes.close()

    def _add(self, container: ContainerState) -> Log | None:
        if not self._watch(container.id):
            return None
        log = self._logs[container.id] = Log(self._layout.log_dir(self._project, container.id))
        self._states[container.id] = container
        return log

    def _watch(self, identifier: str) -> bool:
        """Be told of changes of container *identifier*; False when it has just been removed."""
        try:
            self._changes.add(
                identifier,
                self._layout.container(self._project, identifier),
                self._layout.log_dir(self._project, identifier),
            )
        except OSError:
            return False
        return True

    def _drop(self, identifier: str) -> None:
        self._logs.pop(identifier).close()
        del self._states[identifier]


def _has_ended(before: ContainerState, now: ContainerState) -> bool:
    """Has it ended since, even if it has been started in between or again?"""
    stopped = before.status in ALIVE and now.status not in ALIVE
    return stopped or now.finished_ns > before.finished_ns


def _old_lines(log: Log, container: ContainerState, span: Span) -> Iterator[LogLine]:
    yield from log.begin(span)
    if container.status not in ALIVE and span.tail != 0:
        yield from log.unfinished()


def _new_lines(log: Log, *, over: bool) -> Iterator[LogLine]:
    yield from log.new_lines()
    if over:
        yield from log.unfinished()


def _open(layout: Layout, container: ContainerState) -> Log:
    return Log(layout.log_dir(container.project, container.id))


def _merged(sources: Iterator[tuple[ContainerState, Iterator[LogLine]]]) -> Iterator[LogEvent]:
    """The lines of all *sources* by time; those of one stay in order."""
    streams = [_events(container, lines) for container, lines in sources]
    if len(streams) == 1:
        return streams[0]
    return heapq.merge(*streams, key=_time_of)


def _events(container: ContainerState, lines: Iterator[LogLine]) -> Iterator[LogEvent]:
    for line in lines:
        yield LogEvent(container, line)


def _time_of(event: LogEvent) -> int:
    return event.line.time_ns if event.line is not None else 0
