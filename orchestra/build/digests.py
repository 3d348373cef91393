"""What files contained when they were last read, so that a build need not read them all again.

A digest counts for as long as stat(2) says the same of the file (`seen.stamp`). That of a file
which has changed within the last moments before it was read is not remembered.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import msgspec

from orchestra.build.seen import STAMP_BYTES, is_racy, stamp
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

_WORTH_FILES, _WORTH_BYTES = 200, 4 << 20
"""Less than that is read faster than a list of it."""


class Digests:
    """The digests of what one COPY has taken; kept in *path*."""

    def __init__(self, path: str, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._path = path
        self._clock_ns = clock_ns
        self._known: dict[bytes, bytes] | None = None
        self._seen: dict[bytes, bytes] = {}
        self._bytes = 0
        self._is_new = False

    def of(self, name: str, status: os.stat_result, read: Callable[[], bytes]) -> bytes:
        """The digest of the file *name*: the known one, or what *read* finds out now."""
        now = stamp(status)
        key = os.fsencode(name)
        self._bytes += status.st_size
        known = self._load().get(key, b"")
        if known.startswith(now):
            self._seen[key] = known
            return known[STAMP_BYTES:]
        now_ns = self._clock_ns()
        digest = read()
        if not is_racy(status, now_ns):
            self._seen[key] = now + digest
            self._is_new = True
        return digest

    def save(self) -> None:
        """Remember what was seen, if it is worth it. Raises OSError."""
        known = self._load()
        if not self._is_new and len(known) == len(self._seen):
            return
        if len(self._seen) < _WORTH_FILES and self._bytes < _WORTH_BYTES:
            return
        os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
        write_atomically(self._path, msgspec.msgpack.encode(self._seen), durable=False)

    def _load(self) -> dict[bytes, bytes]:
        if self._known is None:
            try:
                with open(self._path, "rb") as file:
                    self._known = msgspec.msgpack.decode(file.read(), type=dict[bytes, bytes])
                os.utime(self._path)  # so that pruning can tell what is used
            except (FileNotFoundError, msgspec.DecodeError):
                self._known = {}
        return self._known


def digests_path(directory: str, root: str, sources: tuple[str, ...]) -> str:
    """Where the digests for *sources* of the context *root* are kept below *directory*."""
    name = hashlib.sha256("\0".join((root, *sources)).encode("utf-8", "surrogateescape"))
    return os.path.join(directory, name.hexdigest()[:32])
