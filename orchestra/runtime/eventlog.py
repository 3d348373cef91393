"""What happens to a project's containers, in a file: for `events`, of the past and as it comes.

One JSON object per line, appended in one write(2), so that the supervisor and short-lived commands
(`exec`, `cp`) may all write. Of an old file that has become large one predecessor is kept. It lies
with what a reboot clears, as Docker's events are gone with its daemon.
Imported by `exec`: nothing heavy.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState

MAX_BYTES = 256 * 1024
"""Some thousand events; with the predecessor twice as many."""

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_OLD = ".1"
_MOST_WAIT_S = 3600.0

Pairs = tuple[tuple[str, str], ...]


def append(path: str, line: bytes) -> None:
    """Add *line*, without its end. A full disk or a missing right costs the event, nothing else."""
    with contextlib.suppress(OSError):
        try:
            fd = os.open(path, _APPEND, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            fd = os.open(path, _APPEND, 0o600)
        try:
            os.write(fd, line + b"\n")
        finally:
            os.close(fd)


def make_room(path: str) -> None:
    """Begin a new file when this one is large; for the supervisor, of which there is one."""
    with contextlib.suppress(OSError):
        if os.stat(path).st_size > MAX_BYTES:
            os.rename(path, _predecessor(path))


def note(layout: Layout, state: ContainerState, action: str, attributes: Pairs = ()) -> None:
    """Tell of something that this process did to a container, without its supervisor."""
    event = {
        "time_ns": time.time_ns(),
        "action": action,
        "id": state.id,
        "name": state.name,
        "service": state.service,
        "image": state.image,
        "oneoff": state.oneoff,
        "attributes": (*state.labels, *attributes),
    }
    append(layout.events(state.project), json.dumps(event, separators=(",", ":")).encode())


def lines(path: str, *, past: bool, until_ns: int = 0) -> Iterator[bytes]:
    """Each event as it was written: those of the *past* first, then as they come.

    Ends when the clock says *until_ns* (0: never). Raises OSError (EMFILE, ENOSPC: inotify).
    """
    reader = _Reader(path, past=past)
    try:
        for _ in _changes(os.path.dirname(path), until_ns):
            yield from reader.new_lines()
    finally:
        reader.close()


def lines_of_all(directory: str, *, past: bool, until_ns: int = 0) -> Iterator[tuple[bytes, ...]]:
    """The same of every project in *directory*, of those too that come later.

    Together what was found together: to be brought into the order of time.
    """
    readers: dict[str, _Reader] = {}
    try:
        for first, _ in enumerate(_changes(directory, until_ns)):
            found: list[bytes] = []
            for name in sorted(os.listdir(directory)):
                if name not in readers and not name.endswith(_OLD):
                    path = os.path.join(directory, name)
                    readers[name] = _Reader(path, past=past or first > 0)
                if name in readers:
                    found += readers[name].new_lines()
            yield tuple(found)
    finally:
        for reader in readers.values():
            reader.close()


def _changes(directory: str, until_ns: int) -> Iterator[None]:
    """Once at first, then whenever something in *directory* may have changed."""
    from orchestra.linux.constants import IN_CREATE, IN_MODIFY, IN_MOVED_TO
    from orchestra.linux.inotify import add_watch, inotify_init, read_events

    os.makedirs(directory, mode=0o700, exist_ok=True)
    with inotify_init() as changes:
        add_watch(changes.fileno(), directory, IN_MODIFY | IN_CREATE | IN_MOVED_TO)
        while True:
            yield
            left_s = (until_ns - time.time_ns()) / 1e9 if until_ns else _MOST_WAIT_S
            if left_s <= 0:
                return
            select.select([changes], [], [], min(left_s, _MOST_WAIT_S))
            read_events(changes.fileno())


class _Reader:
    """Where in which file we are."""

    def __init__(self, path: str, *, past: bool) -> None:
        self._path = path
        self._fd = -1
        self._rest = b""
        if past:
            self._open(_predecessor(path))
        else:
            self._open(path)
            if self._fd >= 0:
                os.lseek(self._fd, 0, os.SEEK_END)

    def new_lines(self) -> Iterator[bytes]:
        yield from self._read()
        while self._go_on():
            yield from self._read()

    def _read(self) -> Iterator[bytes]:
        if self._fd < 0:
            return
        while chunk := os.read(self._fd, 1 << 16):
            *whole, self._rest = (self._rest + chunk).split(b"\n")
            yield from whole

    def _go_on(self) -> bool:
        """Open the file that followed ours; False when there is none."""
        try:
            newest = os.stat(self._path)
        except FileNotFoundError:
            return False
        if self._fd >= 0 and os.path.samestat(newest, os.fstat(self._fd)):
            return False
        self._open(self._path)
        return self._fd >= 0

    def _open(self, path: str) -> None:
        self.close()
        self._rest = b""
        with contextlib.suppress(FileNotFoundError):
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _predecessor(path: str) -> str:
    return f"{path}{_OLD}"
