"""The members of an image archive, put into the blob store as they come by.

A member called `blobs/sha256/…` is kept as it is and verified; another large one is a layer of
Docker's old layout, which is compressed on the way when it is not; JSON is kept in memory besides.
"""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING

from isal import isal_zlib

from orchestra.errors import RegistryError
from orchestra.image import tarformat
from orchestra.image.bytestream import ByteStream
from orchestra.image.decompress import compression_of
from orchestra.image.manifest import OCI_LAYER
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.image.blobs import Blobs
    from orchestra.image.tarformat import Entry

MAX_DOCUMENT_BYTES = 8 << 20
_MAX_DOCUMENTS_BYTES = 64 << 20
_MAX_MEMBERS = 100_000
_BLOBS = "blobs/sha256/"
_GZIP_LEVEL = 1
"""isal's: as small as zlib's level 4, at 700 MB/s."""


class Stored(NamedTuple):
    """A layer in the blob store."""

    digest: str
    size_bytes: int
    media_type: str


class Members:
    """What an archive holds, by normalised path."""

    def __init__(self, layer_came: Callable[[Stored, str], None]) -> None:
        """*layer_came* hears of each layer that came uncompressed, with its diff id."""
        self._layer_came = layer_came
        self.documents: dict[str, bytes] = {}
        self._layers: dict[str, Stored] = {}
        self._links: dict[str, str] = {}
        self._document_bytes = 0

    def document(self, path: str) -> bytes:
        """The JSON at *path*. Raises RegistryError."""
        found = self.documents.get(self._target(path))
        if found is None:
            raise _incomplete(path)
        return found

    def layer(self, path: str) -> Stored:
        """The layer at *path*. Raises RegistryError."""
        found = self._layers.get(self._target(path))
        if found is None:
            raise _incomplete(path)
        return found

    def _target(self, path: str) -> str:
        """Older versions of `docker save` write a layer that occurs twice as a symbolic link."""
        normal = posixpath.normpath(path)
        return self._links.get(normal, normal)

    def read(self, archive: Iterator[bytes], blobs: Blobs) -> None:
        """Take in all members. Raises RegistryError, DigestMismatch, OSError."""
        stream = ByteStream(archive)
        for count, entry in enumerate(tarformat.entries(stream)):
            if count > _MAX_MEMBERS:
                raise RegistryError(f"the archive has more than {_MAX_MEMBERS} members")
            self.take(entry, stream, blobs)

    def take(self, entry: Entry, stream: ByteStream, blobs: Blobs) -> None:
        """Take in one member with its bytes from *stream*. Raises as `read`."""
        path = posixpath.normpath(entry.name.decode("utf-8", "surrogateescape").lstrip("/"))
        if entry.kind == tarformat.REGULAR and entry.sparse is None:
            self._take_file(path, entry, stream, blobs)
        elif entry.kind in (tarformat.SYMLINK, tarformat.HARD_LINK):
            link = entry.link.decode("utf-8", "surrogateescape")
            above = posixpath.dirname(path) if entry.kind == tarformat.SYMLINK else ""
            self._links[path] = posixpath.normpath(posixpath.join(above, link))
        else:
            stream.skip(entry.stored_bytes)

    def _take_file(self, path: str, entry: Entry, stream: ByteStream, blobs: Blobs) -> None:
        size = entry.stored_bytes
        start = stream.peek(min(size, tarformat.BLOCK_BYTES))
        if start[:1] in (b"{", b"[") and size <= MAX_DOCUMENT_BYTES:
            self._document_bytes += size
            if self._document_bytes > _MAX_DOCUMENTS_BYTES:
                raise RegistryError("the archive holds too much JSON for one of images")
            self.documents[path] = stream.read(size)
            return
        suffix = compression_of(start)
        media_type = OCI_LAYER + (f"+{suffix}" if suffix else "")
        if path.startswith(_BLOBS):
            digest = f"sha256:{path.removeprefix(_BLOBS)}"
            _keep(digest, size, stream, blobs)
            self._layers[path] = Stored(digest, size, media_type)
            if not suffix:
                self._layer_came(self._layers[path], digest)
        elif size >= tarformat.BLOCK_BYTES:
            pieces = stream.pieces(size)
            if suffix:
                self._layers[path] = _store(pieces, media_type, blobs)
            else:
                hashed = Hashed(pieces)
                self._layers[path] = compress(iter(hashed), blobs)
                self._layer_came(self._layers[path], hashed.digest)
        else:
            stream.skip(size)


def compress(pieces: Iterator[bytes | memoryview], blobs: Blobs) -> Stored:
    """Put a layer into the store as gzip. The caller knows its diff id, or finds it out."""
    compressor = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, 31)

    def packed() -> Iterator[bytes]:
        for piece in pieces:
            if data := compressor.compress(piece):
                yield data
        yield compressor.flush()

    return _store(packed(), f"{OCI_LAYER}+gzip", blobs)


class Hashed:
    """Passes pieces on and hashes them: the diff id of a layer that is being compressed."""

    def __init__(self, pieces: Iterator[bytes | memoryview]) -> None:
        self._pieces = pieces
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for piece in self._pieces:
            self._hash.update(piece)
            yield piece

    @property
    def digest(self) -> str:
        """Of what has been passed on so far."""
        return f"sha256:{self._hash.hexdigest()}"


def _store(pieces: Iterator[bytes] | Iterator[memoryview], media_type: str, blobs: Blobs) -> Stored:
    with blobs.create() as new:
        for piece in pieces:
            new.write(piece)
        return Stored(new.commit(), new.size_bytes, media_type)


def _keep(digest: str, size: int, stream: ByteStream, blobs: Blobs) -> None:
    """Store the member under its own *digest*, which is verified. Raises DigestMismatch."""
    with blobs.ingest(digest, size) as ingest:
        if ingest.present:
            stream.skip(size)
            return
        ingest.restart()
        for piece in stream.pieces(size):
            ingest.write(piece)
        ingest.commit()


def _incomplete(path: str) -> RegistryError:
    return RegistryError(
        f"the archive has no {path[:200]!r}, which its manifest names",
        fix="it is incomplete, or no archive of images; save it once more",
    )
