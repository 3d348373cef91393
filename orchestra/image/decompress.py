"""Layers and archives as they come, compressed or not, into chunks of plain bytes.

The format is told by the first bytes, not by a media type: registries and archives often have the
wrong one. Decoders are the ones in C of `isal` and `zstandard`, which work without the interpreter
lock; docs/dependencies.md has the figures.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from typing import TYPE_CHECKING, Protocol, cast

import zstandard
from isal import igzip, isal_zlib

from orchestra.errors import RegistryError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from typing_extensions import Buffer

CHUNK = 1 << 18
_ZSTD_WINDOW_BYTES = 1 << 26
"""Windows up to 64 MiB, which `zstd -19` and every registry stay below; memory is bounded by it."""

_GZIP, _ZSTD, _BZIP2, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0"
_MAGIC_BYTES = 6

DAMAGED: tuple[type[Exception], ...] = (
    cast("type[Exception]", isal_zlib.error),
    zlib.error,
    gzip.BadGzipFile,
    zstandard.ZstdError,
    lzma.LZMAError,
    EOFError,
)
"""What a reader raises for data that is none; bz2 raises an OSError without a number."""


class Reader(Protocol):
    def read(self, count: int, /) -> bytes: ...


class Limit(NamedTuple):
    """How much may come out of an archive: *free_bytes*, and above that *ratio* of what went in."""

    free_bytes: int = 1 << 30
    ratio: int = 200

    def allows(self, unpacked: int, packed: int) -> bool:
        return unpacked <= self.free_bytes or unpacked <= packed * self.ratio


def decompressed(
    file: BinaryIO, limit: Limit, progress: Callable[[int], None] | None = None
) -> Iterator[bytes]:
    """The content of *file* in chunks; *progress* hears how many bytes of it were read.

    Raises RegistryError for damaged data, and when more than *limit* comes out of it.
    """
    counted = _Counted(file, progress)
    unpacked = 0
    try:
        reader = plain_reader(io.BufferedReader(counted, CHUNK))
        while chunk := reader.read(CHUNK):
            unpacked += len(chunk)
            if not limit.allows(unpacked, counted.taken):
                raise RegistryError(
                    f"refused: {counted.taken} compressed bytes have become {unpacked} already",
                    fix="such a ratio is that of a decompression bomb; get the image elsewhere",
                )
            yield chunk
    except DAMAGED as exc:
        raise RegistryError(
            f"the compressed data is damaged or incomplete: {exc}", fix="get it once more"
        ) from exc
    except OSError as exc:
        if exc.errno is not None:
            raise
        raise RegistryError(  # bz2 has no error class of its own
            f"the compressed data is damaged or incomplete: {exc}", fix="get it once more"
        ) from exc


def compression_of(start: bytes) -> str:
    """What the media type of a layer that begins with *start* says: "gzip", "zstd" or nothing."""
    if start.startswith(_GZIP):
        return "gzip"
    return "zstd" if start.startswith(_ZSTD) else ""


class _Counted(io.RawIOBase):
    """*file*, counting what is taken from it."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None] | None) -> None:
        self._file = file
        self._progress = progress
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        data = self._file.read(memoryview(buffer).nbytes)
        memoryview(buffer)[: len(data)] = data
        self.taken += len(data)
        if self._progress is not None:
            self._progress(len(data))
        return len(data)


def plain_reader(source: io.BufferedReader) -> Reader:
    """The plain bytes of *source*, which is compressed or not."""
    start = source.peek(_MAGIC_BYTES)
    if start.startswith(_GZIP):
        unzipped: Reader = igzip.IGzipFile(fileobj=source, mode="rb")  # type: ignore[no-untyped-call]
        return unzipped
    if start.startswith(_ZSTD):
        decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        return decoder.stream_reader(source, read_size=CHUNK, read_across_frames=True)
    if start.startswith(_BZIP2):
        return bz2.BZ2File(source)
    if start.startswith(_XZ):
        return lzma.LZMAFile(source)
    return source
