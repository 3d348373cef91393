"""What the steps of earlier builds gave, by their keys: one small file each.

A record is replaced whole and never half read. It names a layer by its digest: one that was pruned
meanwhile is no result, and the step runs again.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.model.container import Frozen
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


_CLAIMS = "claims"


@functools.cache
def boot_id() -> str:
    """Of this run of the machine. random(4)."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


class Record(Frozen, frozen=True, kw_only=True):
    """*diff_id* is "" for a step that changed no file; *detail* is the step as written.

    *boot*: the layer may not be on the disk yet, and can be trusted until the machine restarts.
    """

    diff_id: str = ""
    blob: str = ""
    media_type: str = ""  # of the blob; "": an OCI layer that is not compressed
    base: str = ""  # what the step's files began with: "host" for this machine's own
    size_bytes: int = 0
    created_ns: int = 0
    detail: str = ""
    boot: str = ""


class Findings(NamedTuple):
    """By key: records that were put and not flushed, and all that were used.

    *are_ambiguous*: a step was carried out twice, and gave different results.
    """

    pending: Mapping[str, Record] = {}
    used: Mapping[str, Record] = {}
    are_ambiguous: bool = False


class Records:
    """The records in *directory*, which is made when the first one comes.

    *pending* are those whose layers are not known to be on the disk.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.pending: dict[str, Record] = {}

    def find(self, key: str) -> Record | None:
        path = self.path(key)
        try:
            with open(path, "rb") as file:
                record = msgspec.json.decode(file.read(), type=Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        if record.boot and record.boot != boot_id():
            return None
        os.utime(path)  # so that pruning can tell what is used
        return record

    def put(self, key: str, record: Record) -> None:
        """Remember *record*, for others too; across a restart of the machine after `flush`."""
        self.pending[key] = record
        self._write(key, msgspec.structs.replace(record, boot=boot_id()))

    def findings(self) -> Findings:
        """What a process that ends has found out, for `adopt` in another one."""
        return Findings(self.pending)

    def adopt(self, found: Findings) -> None:
        self.pending.update(found.pending)

    def flush(self, sync: Callable[[], None]) -> None:
        """Trust what was put for ever, after *sync* has seen to it that it is on the disk."""
        if not self.pending:
            return
        sync()
        for key, record in self.pending.items():
            self._write(key, record)
        self.pending.clear()

    @contextlib.contextmanager
    def claimed(self, key: str) -> Iterator[None]:
        """Nobody else finds out *key* meanwhile: who wants the same step waits for its record.

        One byte of a file stands for each key; the lock ends with the process. fcntl(2), F_SETLKW.
        """
        os.makedirs(self._directory, 0o700, exist_ok=True)
        path = os.path.join(self._directory, _CLAIMS)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX, 1, int(key[:15], 16))
            yield
        finally:
            os.close(fd)

    def _write(self, key: str, record: Record) -> None:
        path = self.path(key)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        write_atomically(path, encoded(record), durable=False)

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

    def path(self, key: str) -> str:
        return os.path.join(self._directory, key[:2], key)


def encoded(record: Record) -> bytes:
    """The file that *record* is."""
    return msgspec.json.encode(record)
