"""A bundle from a file or a pipe, in one pass; every part is compared with its digest.

The file is hostile until proven otherwise: what is unpacked is named by its caller, goes where the
caller says, and is good for nothing before the digest has been compared.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from orchestra.bundle.contents import (
    CONTENTS,
    MAX_CONTENTS_BYTES,
    decode_contents,
    malformed,
)
from orchestra.errors import DigestMismatch
from orchestra.image import tarformat
from orchestra.image.bytestream import ByteStream
from orchestra.image.decompress import Limit, decompressed
from orchestra.image.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from orchestra.bundle.contents import Part
    from orchestra.image.blobs import Blobs
    from orchestra.image.members import Members
    from orchestra.image.tarformat import Entry

_CHUNK = 1 << 20
_LIMIT = Limit(free_bytes=4 << 30, ratio=200)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class BundleReader:
    """The bundle in *file*. Its parts must be asked for in their order, then its images.

    All methods raise RegistryError for what is damaged.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._stream = ByteStream(decompressed(file, _LIMIT))
        self._entries = tarformat.entries(self._stream)
        entry = self._next(CONTENTS)
        if entry.stored_bytes > MAX_CONTENTS_BYTES:
            raise malformed(f"its {CONTENTS} has {entry.stored_bytes} bytes")
        self.contents = decode_contents(self._stream.read(entry.stored_bytes))

    def copy(self, part: Part, path: str) -> None:
        """Make the file *path* of *part*, with its mode and owner. Raises OSError."""
        entry = self._begin(part)
        with os.fdopen(os.open(path, _NEW_FILE, 0o600), "wb") as file:
            content = _Verified(self._stream, part)
            while piece := content.read(_CHUNK):
                file.write(piece)
            content.finish()
            os.fchown(file.fileno(), entry.uid, entry.gid)
            os.fchmod(file.fileno(), entry.mode & 0o777)

    def unpack(self, part: Part, directory: str) -> None:
        """Unpack the archive *part* into *directory*, of nobody else. Raises OSError."""
        self._begin(part)
        content = _Verified(self._stream, part)
        unpack(ByteStream(decompressed(content, Limit())), directory)  # type: ignore[arg-type]
        content.finish()

    def skip(self, part: Part) -> None:
        """Leave *part* out."""
        self._begin(part)
        self._stream.skip(part.size_bytes)

    def images(self, members: Members, blobs: Blobs) -> None:
        """Take in the archive of images that ends the bundle."""
        for entry in self._entries:
            members.take(entry, self._stream, blobs)

    def _begin(self, part: Part) -> Entry:
        entry = self._next(part.path)
        if entry.stored_bytes != part.size_bytes:
            raise malformed(
                f"{part.path} has {entry.stored_bytes} bytes and not as many as it says"
            )
        return entry

    def _next(self, path: str) -> Entry:
        entry = next(self._entries, None)
        name = "" if entry is None else os.fsdecode(entry.name)
        if entry is None or name != path or entry.kind != tarformat.REGULAR or entry.sparse:
            found = f"{name[:200]!r} comes" if name else "it ends"
            raise malformed(f"{found} where {path} should be")
        return entry


class _Verified:
    """The bytes of a part, to be read like a file."""

    def __init__(self, stream: ByteStream, part: Part) -> None:
        self._pieces: Iterator[memoryview] = stream.pieces(part.size_bytes)
        self._rest = memoryview(b"")
        self._hash = hashlib.sha256()
        self._part = part

    def read(self, count: int) -> bytes:
        """At most *count* bytes, none at the end."""
        if not self._rest:
            self._rest = next(self._pieces, memoryview(b""))
        piece = bytes(self._rest[:count])
        self._rest = self._rest[count:]
        self._hash.update(piece)
        return piece

    def finish(self) -> None:
        """Read what nobody wanted. Raises DigestMismatch."""
        while self.read(_CHUNK):
            pass
        if f"sha256:{self._hash.hexdigest()}" != self._part.digest:
            raise DigestMismatch(
                f"the bundle holds something else as {self._part.path} than it says",
                fix="it was damaged or changed on the way; copy or save it once more",
            )
