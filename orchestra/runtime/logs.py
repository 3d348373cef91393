"""A container's log: bytes as they were read, beside a small index; the writing side.

Generation N is two files, `N.raw` and `N.idx`. Each index record (16 bytes) is the time in
nanoseconds and, in one number, where its chunk ends in the raw file and the stream it came from.
A record whose chunk is empty announces the stream of what follows; with the bit CONTINUES, first in
its generation, it says that the stream goes on with a line of the generation before, which is no
line for a reader once that generation is gone.

Chunks go from the FIFO to the raw file by splice(2), in the kernel: a process that is killed
between reading and writing would lose lines, and a splice cannot be cut there. Bytes beyond the
last record (killed before the record was written) belong to the stream of that last record; the
next writer adds the missing record. Reading is in `logread.py`.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD = struct.Struct("<QQ")
STDOUT = 1
STDERR = 2
CONTINUES = 0x80
"""Beside the stream of a generation's first record."""

STREAM = 0x7F
CHUNK_BYTES = 1024 * 1024
DRIVERS = frozenset({"json-file", "local", "none"})

_SPLICE_FLAGS = 1 | 2  # SPLICE_F_MOVE | SPLICE_F_NONBLOCK
_LOCAL_MAX_BYTES = 20 * 1000 * 1000
_UNITS = {"k": 1000, "m": 1000**2, "g": 1000**3}


class Rotation(NamedTuple):
    """Begin a new generation beyond *max_bytes* (0: never); keep *max_files* of them."""

    max_bytes: int = 0
    max_files: int = 1


def rotation(driver: str, options: tuple[tuple[str, str], ...]) -> Rotation:
    """What the `logging:` options ask for; `local` rotates by default, as Docker's does.

    Raises ConfigError for a driver that is not ours or a number that is none.
    """
    if driver not in DRIVERS:
        raise ConfigError(
            f'logging driver "{driver}" is not available',
            fix="use json-file, local or none",
        )
    given = dict(options)
    default = Rotation(_LOCAL_MAX_BYTES, 5) if driver == "local" else Rotation()
    try:
        size = _bytes(given["max-size"]) if "max-size" in given else default.max_bytes
        files = int(given["max-file"]) if "max-file" in given else default.max_files
    except ValueError as exc:
        raise ConfigError(
            f"logging options {given}: {exc}", fix='for example max-size: "10m", max-file: "3"'
        ) from exc
    return Rotation(size, max(1, files))


def _bytes(text: str) -> int:
    text = text.strip().lower().removesuffix("b")
    factor = _UNITS.get(text[-1:], 1)
    value = float(text.rstrip("kmg"))
    if value < 0:
        return 0
    return int(value * factor)


def pack_record(time_ns: int, end: int, stream: int) -> bytes:
    return RECORD.pack(time_ns, end << 8 | stream)


def generations(directory: str) -> tuple[int, ...]:
    """The generations in *directory*, oldest first."""
    try:
        names = os.listdir(directory)
    except OSError:
        return ()
    return tuple(sorted(int(name[:-4]) for name in names if name.endswith(".idx")))


def raw_path(directory: str, generation: int) -> str:
    return f"{directory}/{generation:06d}.raw"


def index_path(directory: str, generation: int) -> str:
    return f"{directory}/{generation:06d}.idx"


class LogWriter:
    """The only writer of one log directory. Opening it mends what a killed writer left."""

    def __init__(
        self, directory: str, rotate: Rotation, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """Raises OSError."""
        self._directory = directory
        self._rotate = rotate
        self._clock_ns = clock_ns
        self._splices = True
        os.makedirs(directory, mode=0o700, exist_ok=True)
        existing = generations(directory)
        self._generation = existing[-1] if existing else 1
        self._open()

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._raw = os.open(raw_path(self._directory, self._generation), flags, 0o600)
        self._index = os.open(index_path(self._directory, self._generation), flags, 0o600)
        self._end = 0
        self._stream = 0
        self._mend()

    def _mend(self) -> None:
        """Drop half a record, and records of bytes that a crash of the host lost; add a missing."""
        raw_size = os.fstat(self._raw).st_size
        index_size = os.fstat(self._index).st_size // RECORD.size * RECORD.size
        while index_size:
            _, packed = RECORD.unpack(os.pread(self._index, RECORD.size, index_size - RECORD.size))
            if packed >> 8 <= raw_size:
                self._end, self._stream = packed >> 8, packed & STREAM
                break
            index_size -= RECORD.size
        os.ftruncate(self._index, index_size)
        os.lseek(self._index, index_size, os.SEEK_SET)
        if raw_size > self._end:
            self._record(raw_size - self._end, self._stream or STDOUT)
        os.lseek(self._raw, self._end, os.SEEK_SET)

    def take_from(self, fifo: int, stream: int) -> int:
        """Move what is in *fifo* to the log: the number of bytes; 0 at its end.

        Raises BlockingIOError when it is empty, OSError when the disk is full.
        """
        total = 0
        while total < CHUNK_BYTES:
            try:
                count = self._take(fifo, stream)
            except BlockingIOError:
                if total:
                    return total
                raise
            total += count
            if count == 0 or not self._is_full:
                return total
        return total

    def _take(self, fifo: int, stream: int) -> int:
        """As `take_from`, no more than this generation has room for."""
        self._announce(stream)
        room = self._rotate.max_bytes - self._end if self._rotate.max_bytes else CHUNK_BYTES
        if self._splices:
            try:
                count = os.splice(fifo, self._raw, min(room, CHUNK_BYTES), flags=_SPLICE_FLAGS)
            except OSError as exc:
                if exc.errno != errno.EINVAL:  # a terminal, or a file system without splice
                    raise
                self._splices = False
            else:
                if count:
                    self._record(count, stream)
                return count
        content = os.read(fifo, min(room, CHUNK_BYTES))
        if content:
            self.write(content, stream)
        return len(content)

    def write(self, content: bytes, stream: int) -> None:
        """Append *content* as one chunk."""
        self._announce(stream)
        view = memoryview(content)
        while view:
            view = view[os.write(self._raw, view) :]
        self._record(len(content), stream)

    @property
    def _is_full(self) -> bool:
        return 0 < self._rotate.max_bytes <= self._end

    def _announce(self, stream: int) -> None:
        if self._is_full:
            self._begin_generation()
        if stream != self._stream:
            self._record(0, stream)

    def _record(self, count: int, stream: int) -> None:
        self._end += count
        self._stream = stream
        os.write(self._index, pack_record(self._clock_ns(), self._end, stream))

    def _begin_generation(self) -> None:
        stream, is_cut = self._stream, os.pread(self._raw, 1, self._end - 1) != b"\n"
        self.close()
        self._generation += 1
        self._open()
        if is_cut:
            self._record(0, stream | CONTINUES)
            self._stream = stream
        for old in generations(self._directory)[: -self._rotate.max_files]:
            for path in (index_path(self._directory, old), raw_path(self._directory, old)):
                if os.path.exists(path):
                    os.unlink(path)

    def close(self) -> None:
        os.close(self._raw)
        os.close(self._index)
