"""Images on their way to a registry: layers that were kept as they were built are compressed once.

Such an image has a manifest of its own making, so a new one replaces it: the image's id, the digest
of its config, stays. What came from a registry goes back bit by bit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.image.catalog import ImageRow
from orchestra.image.manifest import OCI_LAYER, encode_manifest
from orchestra.image.members import compress
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.image.blobs import Blobs
    from orchestra.image.manifest import Descriptor
    from orchestra.image.reference import Reference
    from orchestra.image.store import Image, LocalImageStore

_CHUNK_BYTES = 1 << 20


class Publisher:
    """`image.base.ImageSource` over the store."""

    def __init__(self, store: LocalImageStore) -> None:
        self._store = store

    @property
    def blobs(self) -> Blobs:
        return self._store.blobs

    def origins(self, digest: str) -> tuple[Reference, ...]:
        return self._store.origins(digest)

    def published(self, reference: Reference) -> str:
        """The digest of the manifest to send for *reference*.

        Raises NotFound, and Unsupported for an image that was built FROM host.
        """
        digest = self._store.published(reference)
        image = self._store.find(str(reference))
        layers = image.manifest.layers
        is_from_elsewhere = any(name.target for name in self._store.catalog.names(image.id))
        if is_from_elsewhere or all(layer.media_type != OCI_LAYER for layer in layers):
            return digest
        return self._compressed(image)

    def _compressed(self, image: Image) -> str:
        with self._store.holding():
            layers = [self._smaller(layer) for layer in image.manifest.layers]
            digest = self.blobs.put(encode_manifest(image.manifest.config, layers))
            self._store.catalog.register(ImageRow(image.id, digest, image.added_ns), ())
        return digest

    def _smaller(self, layer: Descriptor) -> Descriptor:
        if layer.media_type != OCI_LAYER:
            return layer
        stored = compress(self._pieces(layer.digest), self.blobs)
        return msgspec.structs.replace(
            layer, media_type=stored.media_type, digest=stored.digest, size=stored.size_bytes
        )

    def _pieces(self, digest: str) -> Iterator[bytes]:
        with os.fdopen(self.blobs.open(digest), "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
