"""A bundle as a stream of bytes: the contents, the model, files, volumes, then one OCI layout.

The same project makes the same bytes: members come in a fixed order and without times of their own.
Whatever must be packed before its size is known goes through a file without a name.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from typing import TYPE_CHECKING

from isal import isal_zlib

from orchestra.bundle.contents import CONTENTS, Part
from orchestra.errors import Unsupported
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

_CHUNK = 1 << 20
_GZIP_LEVEL = 1
_GZIP_WINDOW = 31
_PRIVATE = 0o600


class Packed(NamedTuple):
    """A part with its bytes; *owner* and *mode* are those of the file when it is made again."""

    part: Part
    file: BinaryIO
    mode: int = _PRIVATE
    owner: tuple[int, int] = (0, 0)


def pack_tree(
    path: str, archive: Iterable[bytes], directory: str, tell: Callable[[int], None]
) -> Packed:
    """The tar *archive* compressed, as the part *path*; *directory* has room for it.

    *tell* hears how many bytes more have been read.
    """
    compressor = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WINDOW)
    unpacked = 0

    def packed() -> Iterator[bytes]:
        nonlocal unpacked
        for piece in archive:
            unpacked += len(piece)
            tell(len(piece))
            yield compressor.compress(piece)
        yield compressor.flush()

    part, file = _spool(path, packed(), directory)
    return Packed(Part(path=path, digest=part.digest, size_bytes=part.size_bytes,
                       unpacked_bytes=unpacked), file)  # fmt: skip


def pack_bytes(path: str, content: bytes, directory: str, *, mode: int = _PRIVATE) -> Packed:
    """*content* as the part *path*."""
    part, file = _spool(path, (content,), directory)
    return Packed(part, file, mode)


def pack_file(path: str, source: str, directory: str) -> Packed:
    """A copy of the file *source*, which may change meanwhile. Raises OSError."""
    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        part, spooled = _spool(path, iter(lambda: file.read(_CHUNK), b""), directory)
    return Packed(part, spooled, status.st_mode & 0o7777, (status.st_uid, status.st_gid))


def _spool(path: str, chunks: Iterable[bytes], directory: str) -> tuple[Part, BinaryIO]:
    file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 (closed with the Packed)
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        file.write(chunk)
    size = file.tell()
    file.seek(0)
    part = Part(path=path, digest=f"sha256:{digest.hexdigest()}", size_bytes=size)
    return part, file


def bundle_bytes(
    contents: bytes, parts: Iterable[Packed], images: Iterable[bytes]
) -> Iterator[bytes]:
    """The whole file. *images* is an archive of images, which ends it."""
    yield _header(CONTENTS, len(contents), _PRIVATE) + contents + bytes(-len(contents) % 512)
    for packed in parts:
        size = packed.part.size_bytes
        yield _header(packed.part.path, size, packed.mode, packed.owner)
        while chunk := packed.file.read(_CHUNK):
            yield chunk
        yield bytes(-size % tarfile.BLOCKSIZE)
    yield from images


def _header(name: str, size: int, mode: int, owner: tuple[int, int] = (0, 0)) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    info.uid, info.gid = owner
    return info.tobuf(tarfile.PAX_FORMAT)


def refuse_whiteouts(directory: str, whose: str) -> None:
    """Raise Unsupported for names that mean a deletion in the archives that layers are."""
    for above, directories, files in os.walk(directory):
        for name in (*directories, *files):
            if name.startswith(".wh."):
                raise Unsupported(
                    f"{whose} holds {os.path.join(above, name)}, a name that stands for a deletion",
                    fix="rename it",
                )
