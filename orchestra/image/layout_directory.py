"""An image in a directory in OCI's image layout, taken into the store: `oci-layout://`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.errors import NotFound, RegistryError
from orchestra.image.blobs import Blobs, digest_of, hex_of
from orchestra.image.manifest import (
    MAX_CONFIG_BYTES,
    MAX_MANIFEST_BYTES,
    Descriptor,
    Index,
    choose_manifest,
    parse_manifest,
)
from orchestra.image.platform import machine_platform
from orchestra.image.receive import Receiver
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from orchestra.image.store import LocalImageStore

NAME = "org.opencontainers.image.ref.name"
_CHUNK = 1 << 20
_MOST_DEEP = 3


class LayoutDirectory:
    """OCI image-spec image-layout.md."""

    def __init__(self, path: str) -> None:
        self._path = path

    def index(self) -> Index:
        """Raises NotFound, RegistryError."""
        path = os.path.join(self._path, "index.json")
        try:
            with open(path, "rb") as file:
                return msgspec.json.decode(file.read(MAX_MANIFEST_BYTES), type=Index)
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise NotFound(
                f"{self._path} is no OCI layout: it has no index.json",
                fix="`skopeo copy … oci:DIRECTORY` writes one",
            ) from exc
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise RegistryError(f"{path} is malformed: {exc}") from exc

    def digest_of(self, tag: str) -> str:
        """What the index calls *tag*; "" and "latest" are the only one where there is just one."""
        entries = self.index().manifests
        for entry in entries:
            if (entry.annotations or {}).get(NAME, "") == (tag or "latest"):
                return entry.digest
        if tag in {"", "latest"} and len(entries) == 1:
            return entries[0].digest
        names = ", ".join(sorted({(e.annotations or {}).get(NAME, "?") for e in entries}))
        raise NotFound(
            f'{self._path} has nothing called "{tag or "latest"}"', fix=f"it has {names}"
        )

    def read(self, digest: str) -> bytes:
        """A manifest or config, verified. Raises NotFound, RegistryError."""
        try:
            with open(self.blob(digest), "rb") as file:
                data = file.read(max(MAX_MANIFEST_BYTES, MAX_CONFIG_BYTES) + 1)
        except FileNotFoundError as exc:
            raise NotFound(f"{self._path} lacks the blob {digest}") from exc
        if digest_of(data) != digest:
            raise RegistryError(f"{self.blob(digest)} is damaged", fix="write the layout again")
        return data

    def copy(self, blob: Descriptor, blobs: Blobs) -> None:
        """Have *blob* in *blobs*. Raises DigestMismatch, NotFound."""
        try:
            source = open(self.blob(blob.digest), "rb")  # noqa: SIM115 (closed below)
        except FileNotFoundError as exc:
            raise NotFound(f"{self._path} lacks the blob {blob.digest}") from exc
        with source, blobs.ingest(blob.digest, blob.size) as ingest:
            if ingest.present:
                return
            ingest.restart()
            while chunk := source.read(_CHUNK):
                ingest.write(chunk)
            ingest.commit()

    def blob(self, digest: str) -> str:
        """Where it lies, or would lie."""
        return os.path.join(self._path, "blobs", "sha256", hex_of(digest))


def load_layout(store: LocalImageStore, text: str) -> str:
    """The id of the image `PATH[:TAG][@DIGEST]`, which is in the store then, without a name.

    Raises NotFound, RegistryError, Unsupported for an image of other platforms.
    """
    path, _, digest = text.partition("@")
    tag = ""
    if ":" in path and not os.path.isdir(path):
        path, _, tag = path.rpartition(":")
    layout = LayoutDirectory(path)
    digest = digest or layout.digest_of(tag)
    document = parse_manifest(layout.read(digest))
    for _ in range(_MOST_DEEP):
        if not isinstance(document, Index):
            break
        digest = choose_manifest(document, machine_platform(os.uname().machine)).digest
        document = parse_manifest(layout.read(digest))
    if isinstance(document, Index):
        raise RegistryError(f"the indexes of {path} lie too deep in each other")
    with Receiver(store) as receiver:
        store.blobs.put(layout.read(digest))
        for blob in (document.config, *document.layers):
            layout.copy(blob, store.blobs)
        return receiver.add(digest, ()).id
