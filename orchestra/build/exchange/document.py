"""The cache of a build as a document for others: BuildKit's cache config, version 0. Pure.

moby/buildkit cache/remotecache/v1/types/spec.go. The digests of records are our own keys, so that
BuildKit can read and keep such a cache but finds nothing in it for its own steps, and we find
nothing in one of BuildKit's. A step that has changed no file has no layer: it is a record with a
field of ours, which BuildKit passes over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.errors import RegistryError
from orchestra.image.config import created_ns, rfc3339
from orchestra.image.manifest import OCI_MANIFEST, Descriptor, plain_descriptor
from orchestra.model.container import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestra.build.records import Record

CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
MAX_BYTES = 16 << 20
_DIFF_ID = "containerd.io/uncompressed"


class LayerNotes(Frozen, frozen=True, kw_only=True, rename="camel"):
    media_type: str = ""
    diff_id: str = msgspec.field(default="", name="diffID")
    size: int = 0
    created_at: str = "0001-01-01T00:00:00Z"


class CacheLayer(Frozen, frozen=True, kw_only=True):
    """*parent* is the index of the layer below; -1 for none. Go leaves 0 out."""

    blob: str = ""
    parent: int = 0
    annotations: LayerNotes | None = None


class CacheResult(Frozen, frozen=True, kw_only=True, rename="camel"):
    layer: int
    created_at: str = ""


class CacheRecord(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """*unchanged*: when the step was done that has changed no file."""

    digest: str = ""
    layers: tuple[CacheResult, ...] | None = None
    unchanged: str = msgspec.field(default="", name="io.orchestra.unchanged")


class CacheDocument(Frozen, frozen=True, kw_only=True):
    layers: tuple[CacheLayer, ...] | None = None
    records: tuple[CacheRecord, ...] | None = None


class Offer(NamedTuple):
    """What a cache has for a key; *blob* is None for a step that has changed no file."""

    diff_id: str
    blob: Descriptor | None
    created_ns: int


class Known(NamedTuple):
    """A layer that is exported: its digest unpacked, and the blob that goes with it."""

    diff_id: str
    blob: Descriptor


def parse_document(data: bytes) -> CacheDocument:
    """Raises RegistryError."""
    try:
        return msgspec.json.decode(data, type=CacheDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RegistryError(f"the cache's description is malformed: {exc}") from exc


def parse_inline(data: bytes, layers: Sequence[Known]) -> dict[str, Offer]:
    """The records in an image's config, about the image's own layers. Raises RegistryError."""
    try:
        records = msgspec.json.decode(data, type=tuple[CacheRecord, ...])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RegistryError(f"the image's inline cache is malformed: {exc}") from exc
    return _offers(records, layers)


def offers(document: CacheDocument, blobs: Iterable[Descriptor]) -> dict[str, Offer]:
    """By key; *blobs* are what the manifest has, and layers without one count for nothing."""
    known = {blob.digest: blob for blob in blobs}
    layers = []
    for layer in document.layers or ():
        blob = known.get(layer.blob)
        notes = layer.annotations
        diff_id = notes.diff_id if notes else ""
        if blob is not None and not diff_id:
            diff_id = (blob.annotations or {}).get(_DIFF_ID, "")
        layers.append(Known(diff_id, blob) if blob is not None and diff_id else None)
    return _offers(document.records or (), layers)


def _offers(records: Iterable[CacheRecord], layers: Sequence[Known | None]) -> dict[str, Offer]:
    found = {}
    for record in records:
        key = record.digest.removeprefix("sha256:")
        if record.unchanged:
            found[key] = Offer("", None, created_ns(record.unchanged))
        for result in record.layers or ():
            known = layers[result.layer] if 0 <= result.layer < len(layers) else None
            if known is not None:
                found[key] = Offer(known.diff_id, known.blob, created_ns(result.created_at))
    return found


def document_for(
    records: Mapping[str, Record], blobs: Mapping[str, Descriptor], chain: Sequence[str]
) -> CacheDocument:
    """Of *records* by key; *blobs* has the blob of each diff id, *chain* are those of the image.

    A layer of the image stands on the one below it, any other one on nothing.
    """
    positions: dict[str, int] = {}
    layers: list[CacheLayer] = []
    wanted = {record.diff_id for record in records.values() if record.diff_id}
    below = -1
    for diff_id in (*chain, *sorted(wanted - set(chain))):
        if diff_id in positions or diff_id not in blobs:
            continue
        blob = blobs[diff_id]
        notes = LayerNotes(media_type=blob.media_type, diff_id=diff_id, size=blob.size)
        parent = below if diff_id in chain else -1
        positions[diff_id] = len(layers)
        layers.append(CacheLayer(blob=blob.digest, parent=parent, annotations=notes))
        below = positions[diff_id] if diff_id in chain else below
    return CacheDocument(layers=tuple(layers), records=_records(records, positions))


def inline_for(records: Mapping[str, Record], chain: Sequence[str]) -> bytes:
    """The records about the layers *chain* of an image, for its config."""
    return msgspec.json.encode(_records(records, {diff_id: i for i, diff_id in enumerate(chain)}))


def _records(
    records: Mapping[str, Record], positions: Mapping[str, int]
) -> tuple[CacheRecord, ...]:
    made = []
    for key, record in sorted(records.items()):
        moment = rfc3339(record.created_ns)
        if not record.diff_id:
            made.append(CacheRecord(digest=f"sha256:{key}", unchanged=moment))
        elif record.diff_id in positions:
            result = CacheResult(layer=positions[record.diff_id], created_at=moment)
            made.append(CacheRecord(digest=f"sha256:{key}", layers=(result,)))
    return tuple(made)


def manifest_for(config: Descriptor, layers: Iterable[Known]) -> bytes:
    """The image manifest that holds the cache together, as BuildKit's `image-manifest=true`."""
    return msgspec.json.encode(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": plain_descriptor(config),
            "layers": [
                {**plain_descriptor(layer.blob), "annotations": {_DIFF_ID: layer.diff_id}}
                for layer in layers
            ],
        }
    )
