"""What others ask of images: engine and planner to run them, the registry client to move them.

Moving an image in: an `ImageReceiver` is entered, blobs go through `BlobStore.ingest`, each layer
is unpacked as soon as its blob is here, and `register` makes the whole visible under its name. A
process killed anywhere leaves partial blobs, which the next ingest goes on with, and nothing else.

Digests are strings, "sha256:" and 64 hexadecimal digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from orchestra.image.manifest import Descriptor
    from orchestra.image.platform import Platform
    from orchestra.image.reference import Reference
    from orchestra.model.container import ImageId
    from orchestra.model.image import ImageConfig
    from orchestra.model.rootfs import Rootfs


class ImageStore(Protocol):
    def resolve(self, reference: str) -> ImageConfig:
        """The image that *reference* names here. Raises NotFound with the fix."""
        ...

    def checked_ns(self, reference: str) -> int:
        """When *reference* was last compared with its registry; 0 for never, or not here."""
        ...


class Snapshotter(Protocol):
    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:
        """A writable layer over *image_id*, kept in *directory*; the same again if it exists."""
        ...

    def remove(self, directory: str) -> None: ...


class Ingest(Protocol):
    """One blob on its way in, for one thread; what was not committed stays for the next."""

    @property
    def present(self) -> bool:
        """Is the blob here already? Somebody else may have written it while this one waited."""
        ...

    @property
    def offset(self) -> int:
        """How many bytes are here, from this run and from broken ones before it."""
        ...

    def write(self, chunk: bytes | memoryview) -> None: ...

    def restart(self) -> None:
        """Forget what is here: the sender cannot go on at *offset*."""
        ...

    def commit(self) -> None:
        """Make the blob visible, whole and synced; or forget it and raise DigestMismatch."""
        ...


class BlobStore(Protocol):
    """Manifests, configs and compressed layers by digest; many threads and processes at once."""

    def has(self, digest: str) -> bool: ...

    def size(self, digest: str) -> int:
        """In bytes. Raises NotFound."""
        ...

    def open(self, digest: str) -> int:
        """A descriptor for reading, which the caller closes. Raises NotFound."""
        ...

    def read(self, digest: str) -> bytes:
        """A manifest or config. Raises NotFound."""
        ...

    def ingest(self, digest: str, size_bytes: int | None) -> AbstractContextManager[Ingest]:
        """Write the blob, after anybody else who is writing it now."""
        ...


class ImageReceiver(Protocol):
    """Puts images into the store. While it is entered nothing that came through it is pruned.

    It is entered before any thread is started, so it may fork its workers then.
    """

    @property
    def blobs(self) -> BlobStore: ...

    def known(self, reference: Reference, wanted: Platform) -> str | None:
        """What *reference* was registered with as *target*.

        None unless that image is complete here and *wanted* runs it.
        """
        ...

    def unpack(self, layer: Descriptor, diff_id: str) -> None:
        """Begin to unpack *layer*, whose blob is here, unless it is unpacked already.

        Returns at once and may be called by several threads; failures are raised by `register`.
        *diff_id* is the digest of the uncompressed layer and is verified on the way.
        """
        ...

    def register(self, reference: Reference, target: str, manifest: str) -> ImageConfig:
        """Wait for its layers and name the image; all its blobs are here.

        *target* is the digest of what the registry answered for *reference*. *manifest*, of the
        image chosen for this platform, is the same where there was no index.
        """
        ...

    def confirm(self, reference: Reference) -> None:
        """Note that the registry still has the same as here under this name."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class ImageSource(Protocol):
    """Images on their way out, to a registry."""

    @property
    def blobs(self) -> BlobStore: ...

    def published(self, reference: Reference) -> str:
        """The digest of the manifest to send for *reference*; its blobs are all here.

        Raises NotFound.
        """
        ...

    def origins(self, digest: str) -> tuple[Reference, ...]:
        """The names of images with the blob *digest*: their repositories may have it as well."""
        ...
