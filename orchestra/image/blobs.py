"""Content-addressed blobs: what was once verified under its digest, and what is on its way there.

A blob appears under its name by rename(2) after its bytes were hashed, compared and written to the
disk, so a reader never sees half of one. What a broken download leaves is kept and is where the
next one begins. Any number of processes may do this at once: a digest is being written by whoever
holds flock(2) on its partial file, and the others wait and then find it present.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

from orchestra.errors import DigestMismatch, NotFound, RegistryError
from orchestra.image.filelock import open_locked
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Iterator

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CHUNK = 1 << 20
_SMALL_BYTES = 16 << 20


def digest_of(data: bytes) -> str:
    return "sha256:" + sha256(data).hexdigest()


def _bulk_hash() -> hashlib._Hash:
    """For megabytes: OpenSSL, which only those load who have that much."""
    import hashlib

    return hashlib.sha256()


def hex_of(digest: str) -> str:
    """The hexadecimal digits, which may be a file name. Raises RegistryError without them."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise RegistryError(
            f"{digest[:200]!r} is not a digest that orchestra can check",
            fix="a digest is sha256: and 64 hexadecimal digits",
        )
    return match[1]


class Blobs:
    """The blobs in *directory*, which is made when the first one comes."""

    def __init__(self, directory: str) -> None:
        self._directory = os.path.join(directory, "sha256")
        self._partials = os.path.join(directory, "partial")

    def path(self, digest: str) -> str:
        """Where the blob lies, or would lie."""
        return os.path.join(self._directory, hex_of(digest))

    def has(self, digest: str) -> bool:
        return os.path.exists(self.path(digest))

    def size(self, digest: str) -> int:
        """In bytes. Raises NotFound."""
        try:
            return os.stat(self.path(digest)).st_size
        except FileNotFoundError as exc:
            raise _missing(digest) from exc

    def open(self, digest: str) -> int:
        """A descriptor for reading, which the caller closes. Raises NotFound.

        What is open stays readable when the blob is removed meanwhile.
        """
        try:
            return os.open(self.path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as exc:
            raise _missing(digest) from exc

    def read(self, digest: str) -> bytes:
        """A manifest or config. Raises NotFound, RegistryError when it is too large for one."""
        with open(self.open(digest), "rb") as file:
            data = file.read(_SMALL_BYTES + 1)
        if len(data) > _SMALL_BYTES:
            raise RegistryError(f"{digest} is larger than any manifest or image config")
        return data

    def put(self, data: bytes) -> str:
        """Keep *data*; its digest."""
        digest = digest_of(data)
        with self.ingest(digest, len(data)) as ingest:
            if not ingest.present:
                ingest.restart()
                ingest.write(data)
                ingest.commit()
        return digest

    @contextlib.contextmanager
    def create(self) -> Iterator[NewBlob]:
        """A blob whose digest is known when it has been written."""
        for directory in (self._directory, self._partials):
            os.makedirs(directory, 0o700, exist_ok=True)
        path = os.path.join(self._partials, f"new-{os.urandom(16).hex()}")
        fd = open_locked(path)
        try:
            yield NewBlob(self, fd, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            os.close(fd)

    @contextlib.contextmanager
    def ingest(self, digest: str, size_bytes: int | None) -> Iterator[Ingest]:
        """The right to write the blob, after anybody else who is writing it now.

        *size_bytes* is what its descriptor announces.
        """
        final = self.path(digest)
        partial = os.path.join(self._partials, hex_of(digest))
        if os.path.exists(final):
            yield Ingest(digest, size_bytes, -1, partial, final)
            return
        for directory in (self._directory, self._partials):
            os.makedirs(directory, 0o700, exist_ok=True)
        fd = open_locked(partial)
        try:
            if present := os.path.exists(final):  # the writer that we waited for has finished
                os.unlink(partial)
            yield Ingest(digest, size_bytes, -1 if present else fd, partial, final)
        finally:
            os.close(fd)

    def remove(self, digest: str) -> int:
        """Remove the blob; the bytes this frees, 0 when it is gone already."""
        path = self.path(digest)
        try:
            size = os.stat(path).st_blocks * 512
            os.unlink(path)
        except FileNotFoundError:
            return 0
        return size

    def all(self) -> Iterator[str]:
        """The digests of all blobs."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._directory):
                yield f"sha256:{name}"

    def remove_abandoned_partials(self) -> int:
        """Remove the partial blobs that nobody is writing; the bytes this frees."""
        freed = 0
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._partials):
                path = os.path.join(self._partials, name)
                with contextlib.suppress(BlockingIOError):
                    fd = open_locked(path, wait=False)
                    freed += os.fstat(fd).st_blocks * 512
                    os.unlink(path)
                    os.close(fd)
        return freed


class Ingest:
    """A blob that is being written, by one thread."""

    def __init__(
        self, digest: str, size_bytes: int | None, fd: int, partial: str, final: str
    ) -> None:
        self._digest = digest
        self._size_bytes = size_bytes
        self._fd = fd
        self._partial = partial
        self._final = final
        self._hash = _bulk_hash()
        self._offset = 0
        if fd >= 0:
            self._hash_what_is_here()

    @property
    def present(self) -> bool:
        """Is the blob here already, so that nothing is to be written?"""
        return self._fd < 0

    @property
    def offset(self) -> int:
        """How many bytes are here, from this run and from broken ones before it."""
        return self._offset

    def _hash_what_is_here(self) -> None:
        while chunk := os.read(self._fd, _CHUNK):
            self._hash.update(chunk)
            self._offset += len(chunk)
        if self._size_bytes is not None and self._offset > self._size_bytes:
            self.restart()

    def write(self, chunk: bytes | memoryview) -> None:
        """Append *chunk*. Raises RegistryError once there is too much; OSError, as ENOSPC."""
        if self._size_bytes is not None and self._offset + len(chunk) > self._size_bytes:
            self.restart()
            raise RegistryError(
                f"more than the {self._size_bytes} bytes announced came for {self._digest}",
                fix="the registry or the archive is damaged",
            )
        self._hash.update(chunk)
        _write_all(self._fd, chunk)
        self._offset += len(chunk)

    def restart(self) -> None:
        """Forget what is here and begin at the first byte."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        self._hash = _bulk_hash()
        self._offset = 0

    def commit(self) -> None:
        """Make the blob visible, whole and synced; or forget it and raise DigestMismatch."""
        found = f"sha256:{self._hash.hexdigest()}"
        if found != self._digest or self._size_bytes not in (None, self._offset):
            os.unlink(self._partial)
            raise DigestMismatch(
                f"what came for {self._digest} has {self._offset} bytes and the digest {found}",
                fix="it was damaged or changed on the way; try again",
            )
        _publish(self._fd, self._partial, self._final)


class NewBlob:
    """A blob that is being written without knowing its digest beforehand."""

    def __init__(self, blobs: Blobs, fd: int, path: str) -> None:
        self._blobs = blobs
        self._fd = fd
        self._path = path
        self._hash = _bulk_hash()
        self.size_bytes = 0

    def write(self, chunk: bytes | memoryview) -> None:
        """Append *chunk*. Raises OSError, as ENOSPC."""
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        _write_all(self._fd, chunk)

    def commit(self, *, durable: bool = True) -> str:
        """Make the blob visible; its digest.

        Unless *durable* the caller syncs the file system before anything speaks of the blob.
        """
        digest = f"sha256:{self._hash.hexdigest()}"
        if durable:
            _publish(self._fd, self._path, self._blobs.path(digest))
        else:
            os.rename(self._path, self._blobs.path(digest))
        return digest


def _write_all(fd: int, chunk: bytes | memoryview) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _publish(fd: int, partial: str, final: str) -> None:
    os.fsync(fd)
    os.rename(partial, final)
    sync_directory(os.path.dirname(final))


def sync_directory(path: str) -> None:
    """Write the names in the directory *path* to the disk. fsync(2)."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _missing(digest: str) -> NotFound:
    return NotFound(f"blob {digest} is not in the image store", fix="pull or load the image again")
