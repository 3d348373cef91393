"""Where caches lie: a repository of a registry, or a directory in OCI's image layout."""

from __future__ import annotations

import io
import os
import shutil
from typing import TYPE_CHECKING, Protocol

import msgspec

from orchestra.errors import NotFound, RegistryError
from orchestra.image.blobs import digest_of, hex_of
from orchestra.image.manifest import MAX_MANIFEST_BYTES, OCI_MANIFEST, Descriptor, Index
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

_NAME = "org.opencontainers.image.ref.name"


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
        self._tag = spec.tag
        self._digest = spec.digest
        self._blobs = blobs

    def manifest(self, digest: str = "") -> bytes:
        wanted = digest or self._digest or self._tagged()
        with open(self._path(wanted), "rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
        if digest_of(data) != wanted:
            raise RegistryError(f"{self._path(wanted)} is damaged", fix="export the cache again")
        return data

    def _tagged(self) -> str:
        index = self._index()
        for entry in index.manifests:
            if (entry.annotations or {}).get(_NAME, "") == self._tag:
                return entry.digest
        if self._tag == "latest" and len(index.manifests) == 1:
            return index.manifests[0].digest
        raise NotFound(f'{self._directory} has nothing called "{self._tag}"')

    def _index(self) -> Index:
        path = os.path.join(self._directory, "index.json")
        try:
            with open(path, "rb") as file:
                return msgspec.json.decode(file.read(MAX_MANIFEST_BYTES), type=Index)
        except FileNotFoundError as exc:
            raise NotFound(f"{self._directory} has no index.json") from exc
        except (msgspec.DecodeError, RecursionError) as exc:
            raise RegistryError(f"{path} is malformed: {exc}") from exc

    def fetch(self, blob: Descriptor) -> None:
        with (
            self._blobs.ingest(blob.digest, blob.size) as ingest,
            open(self._path(blob.digest), "rb") as file,
        ):
            if ingest.present:
                return
            ingest.restart()
            while chunk := file.read(1 << 20):
                ingest.write(chunk)
            ingest.commit()

    def send(self, manifest: Manifest, data: bytes) -> None:
        """Blobs that the directory had before stay; the tag is given to the new manifest."""
        os.makedirs(os.path.join(self._directory, "blobs", "sha256"), exist_ok=True)
        for blob in (*manifest.layers, manifest.config):
            if not os.path.exists(self._path(blob.digest)):
                with os.fdopen(self._blobs.open(blob.digest), "rb") as source:
                    self._write(self._path(blob.digest), source)
        digest = digest_of(data)
        self._put(self._path(digest), data)
        try:
            others = self._index().manifests
        except NotFound:
            others = ()
        entries = [e for e in others if (e.annotations or {}).get(_NAME, "") != self._tag]
        new = Descriptor(
            media_type=OCI_MANIFEST,
            digest=digest,
            size=len(data),
            annotations={_NAME: self._tag},
        )
        index = {
            "schemaVersion": 2,
            "manifests": [
                {
                    "mediaType": entry.media_type,
                    "digest": entry.digest,
                    "size": entry.size,
                    "annotations": entry.annotations or {},
                }
                for entry in (*entries, new)
            ],
        }
        self._put(os.path.join(self._directory, "oci-layout"), b'{"imageLayoutVersion":"1.0.0"}')
        self._put(os.path.join(self._directory, "index.json"), msgspec.json.encode(index))

    def _path(self, digest: str) -> str:
        return os.path.join(self._directory, "blobs", "sha256", hex_of(digest))

    def _put(self, path: str, data: bytes) -> None:
        self._write(path, io.BytesIO(data))

    @staticmethod
    def _write(path: str, source: BinaryIO) -> None:
        draft = f"{path}.{os.getpid()}.draft"
        with open(draft, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        os.rename(draft, path)
