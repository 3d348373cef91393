"""The results of a build's steps for the builds of other machines: `cache_to`.

Layers are compressed once; what that gave is noted, so that the next export finds it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.exchange.document import (
    CACHE_CONFIG,
    Known,
    document_for,
    inline_for,
    manifest_for,
)
from orchestra.image.blobs import hex_of
from orchestra.image.manifest import OCI_LAYER, Descriptor, Manifest, parse_manifest
from orchestra.image.members import compress
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orchestra.build.records import Record
    from orchestra.image.store import LocalImageStore

_CHUNK_BYTES = 1 << 20
_HOST = "host"


class Exported(NamedTuple):
    """A cache ready to be sent: *data* is how *manifest* is written; all blobs are in the store."""

    manifest: Manifest
    data: bytes


def exportable(
    records: Mapping[str, Record], chain: Sequence[str], *, is_max: bool
) -> dict[str, Record]:
    """Those of *records* that go out; *chain* are the diff ids of the image, the lowest first.

    Unless *is_max* only what became of the image. What began with this machine's own files means
    nothing elsewhere.
    """
    return {
        key: record
        for key, record in records.items()
        if record.base != _HOST and (is_max or not record.diff_id or record.diff_id in chain)
    }


def inline_cache(records: Mapping[str, Record], chain: Sequence[str]) -> bytes:
    """What `type=inline` puts into the image's config."""
    return inline_for(exportable(records, chain, is_max=False), chain)


class Exporter:
    """*directory* keeps notes on compressed layers."""

    def __init__(self, store: LocalImageStore, directory: str) -> None:
        self._store = store
        self._directory = directory

    def export(self, records: Mapping[str, Record], chain: Sequence[str]) -> Exported:
        """Raises NotFound for layers that are gone, OSError."""
        blobs = {
            record.diff_id: self._smaller(record) for record in records.values() if record.diff_id
        }
        document = document_for(records, blobs, chain)
        text = msgspec.json.encode(document)
        config = Descriptor(
            media_type=CACHE_CONFIG, digest=self._store.blobs.put(text), size=len(text)
        )
        data = manifest_for(config, (Known(*pair) for pair in blobs.items()))
        manifest = parse_manifest(data)
        if not isinstance(manifest, Manifest):
            raise AssertionError("a manifest of our own is none")
        return Exported(manifest, data)

    def _smaller(self, record: Record) -> Descriptor:
        media_type = record.media_type or OCI_LAYER
        blob = Descriptor(media_type=media_type, digest=record.blob, size=record.size_bytes)
        if media_type != OCI_LAYER:
            return blob
        note = os.path.join(self._directory, hex_of(record.diff_id))
        try:
            with open(note, "rb") as file:
                known = msgspec.json.decode(file.read(), type=Descriptor)
            if self._store.blobs.has(known.digest):
                return known
        except (FileNotFoundError, msgspec.DecodeError):
            pass
        stored = compress(self._pieces(record.blob), self._store.blobs)
        small = Descriptor(
            media_type=stored.media_type, digest=stored.digest, size=stored.size_bytes
        )
        self._store.pin(small.digest)
        os.makedirs(self._directory, 0o700, exist_ok=True)
        write_atomically(note, msgspec.json.encode(small), durable=False)
        return small

    def _pieces(self, digest: str) -> Iterator[bytes]:
        with os.fdopen(self._store.blobs.open(digest), "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
