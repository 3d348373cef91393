"""Where caches lie: a repository of a registry, or a directory in OCI's image layout."""

from __future__ import annotations

import io
import os
import shutil
from typing import TYPE_CHECKING, Protocol

import msgspec

from orchestra.errors import NotFound
from orchestra.image.blobs import digest_of
from orchestra.image.layout_directory import NAME, LayoutDirectory
from orchestra.image.manifest import OCI_MANIFEST, Descriptor, plain_descriptor
from orchestra.registry.download import Download
from orchestra.registry.push import push
from orchestra.registry.together import Stop

if TYPE_CHECKING:
    from typing import BinaryIO

    from orchestra.build.exchange.spec import CacheSpec
    from orchestra.image.blobs import Blobs
    from orchestra.image.manifest import Manifest
    from orchestra.image.reference import Reference
    from orchestra.registry.registries import Registries


class Place(Protocol):
    """All of it raises RegistryError, NotFound, OSError."""

    def manifest(self, digest: str = "") -> bytes:
        """The document that the cache begins with, or that with *digest*."""
        ...

    def fetch(self, blob: Descriptor) -> None:
        """Have *blob* in the store."""
        ...

    def send(self, manifest: Manifest, data: bytes) -> None:
        """Put the blobs of *manifest* there, and then *data*, which is how it is written."""
        ...


class Repository:
    """`type=registry`."""

    def __init__(self, reference: Reference, registries: Registries, blobs: Blobs) -> None:
        self._reference = reference
        self._registries = registries
        self._blobs = blobs

    def manifest(self, digest: str = "") -> bytes:
        target = digest or self._reference.digest or self._reference.tag
        return self._registries.reading(
            self._reference, lambda client: client.manifest(target).data
        )

    def fetch(self, blob: Descriptor) -> None:
        self._registries.reading(
            self._reference,
            lambda client: Download(client, self._blobs, Stop()).fetch(
                blob, lambda _: None, lambda _: None
            ),
        )

    def send(self, manifest: Manifest, data: bytes) -> None:  # noqa: ARG002 (push reads it again)
        digest = self._blobs.put(data)
        push(self._reference, self._registries, _Single(self._blobs, digest), lambda _: None)


class _Single:
    """`image.base.ImageSource` of one manifest."""

    def __init__(self, blobs: Blobs, digest: str) -> None:
        self.blobs = blobs
        self._digest = digest

    def published(self, reference: Reference) -> str:  # noqa: ARG002 (there is only one)
        return self._digest

    def origins(self, digest: str) -> tuple[Reference, ...]:  # noqa: ARG002 (of no image)
        return ()


class Layout:
    """`type=local`. OCI image-spec image-layout.md."""

    def __init__(self, spec: CacheSpec, blobs: Blobs) -> None:
        self._directory = spec.directory
        self._layout = LayoutDirectory(spec.directory)
        self._tag = spec.tag
        self._digest = spec.digest
        self._blobs = blobs

    def manifest(self, digest: str = "") -> bytes:
        return self._layout.read(digest or self._digest or self._layout.digest_of(self._tag))

    def fetch(self, blob: Descriptor) -> None:
        self._layout.copy(blob, self._blobs)

    def send(self, manifest: Manifest, data: bytes) -> None:
        """Blobs that the directory had before stay; the tag is given to the new manifest."""
        os.makedirs(os.path.join(self._directory, "blobs", "sha256"), exist_ok=True)
        for blob in (*manifest.layers, manifest.config):
            if not os.path.exists(self._layout.blob(blob.digest)):
                with os.fdopen(self._blobs.open(blob.digest), "rb") as source:
                    self._write(self._layout.blob(blob.digest), source)
        digest = digest_of(data)
        self._put(self._layout.blob(digest), data)
        try:
            others = self._layout.index().manifests
        except NotFound:
            others = ()
        entries = [e for e in others if (e.annotations or {}).get(NAME, "") != self._tag]
        new = Descriptor(
            media_type=OCI_MANIFEST,
            digest=digest,
            size=len(data),
            annotations={NAME: self._tag},
        )
        index = {
            "schemaVersion": 2,
            "manifests": [
                {**plain_descriptor(entry), "annotations": entry.annotations or {}}
                for entry in (*entries, new)
            ],
        }
        self._put(os.path.join(self._directory, "oci-layout"), b'{"imageLayoutVersion":"1.0.0"}')
        self._put(os.path.join(self._directory, "index.json"), msgspec.json.encode(index))

    def _put(self, path: str, data: bytes) -> None:
        self._write(path, io.BytesIO(data))

    @staticmethod
    def _write(path: str, source: BinaryIO) -> None:
        draft = f"{path}.{os.getpid()}.draft"
        with open(draft, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        os.rename(draft, path)
