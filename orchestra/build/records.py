"""What the steps of earlier builds gave, by their keys: one small file each.

A record is replaced whole and never half read. It names a layer by its digest: one that was pruned
meanwhile is no result, and the step runs again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from orchestra.model.container import Frozen
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Record(Frozen, frozen=True, kw_only=True):
    """*diff_id* is "" for a step that changed no file; *detail* is the step as written."""

    diff_id: str = ""
    blob: str = ""
    media_type: str = ""  # of the blob; "": an OCI layer that is not compressed
    base: str = ""  # what the step's files began with: "host" for this machine's own
    size_bytes: int = 0
    created_ns: int = 0
    detail: str = ""
    digest: str = ""  # of a selection of files


class Records:
    """The records in *directory*, which is made when the first one comes."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._pending: dict[str, Record] = {}

    def find(self, key: str) -> Record | None:
        if key in self._pending:
            return self._pending[key]
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                record = msgspec.json.decode(file.read(), type=Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        os.utime(path)  # so that pruning can tell what is used
        return record

    def put(self, key: str, record: Record) -> None:
        """Remember *record*; others see it after `flush`."""
        self._pending[key] = record

    def flush(self, sync: Callable[[], None]) -> None:
        """Write what was put, after *sync* has seen to it that the layers are on the disk."""
        if not self._pending:
            return
        sync()
        for key, record in self._pending.items():
            path = self._path(key)
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
            write_atomically(path, msgspec.json.encode(record), durable=False)
        self._pending.clear()

    def all(self) -> Iterator[tuple[str, Record]]:
        """Every record that has been written, with its path."""
        for top, _, names in os.walk(self._directory):
            for name in names:
                path = os.path.join(top, name)
                try:
                    with open(path, "rb") as file:
                        yield path, msgspec.json.decode(file.read(), type=Record)
                except (FileNotFoundError, msgspec.DecodeError):
                    continue

    def _path(self, key: str) -> str:
        return os.path.join(self._directory, key[:2], key)
