"""A finished stage as an image of the store: layer archives, config, manifest, names."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.filesystem import BuiltLayer
from orchestra.image.catalog import ImageRow, NameRow
from orchestra.image.config import HistoryEntry, ImageDocument, RootFileSystem, RunSettings, rfc3339
from orchestra.image.manifest import OCI_CONFIG, OCI_LAYER, Descriptor, encode_manifest

if TYPE_CHECKING:
    from orchestra.image.platform import Platform
    from orchestra.image.reference import Reference
    from orchestra.image.store import LocalImageStore

_CHUNK = 1 << 20
_SECOND_NS = 1_000_000_000


class Result(NamedTuple):
    """What is to become an image."""

    layers: tuple[BuiltLayer, ...]
    settings: RunSettings
    history: tuple[HistoryEntry, ...]
    author: str
    created: str


def moment(created_ns: int, epoch_s: int | None) -> str:
    """When something was made, as documents say it; *epoch_s* is SOURCE_DATE_EPOCH."""
    return rfc3339(created_ns if epoch_s is None else epoch_s * _SECOND_NS)


def store_layer(store: LocalImageStore, directory: str) -> BuiltLayer:
    """Make *directory*, what overlayfs has left in an upper directory, a layer of *store*.

    It moves there; neither it nor its blob is synced. The blob is not compressed: the digest is the
    diff id, and nothing is spent on what may never be pushed.
    """
    # not for who finds all in the cache
    from orchestra.image.difftar import Tally, archive_of

    tally = Tally()
    with store.blobs.create() as blob:
        pieces = bytearray()
        for piece in archive_of(directory, tally):
            pieces += piece
            if len(pieces) > _CHUNK:
                blob.write(bytes(pieces))
                pieces.clear()
        blob.write(bytes(pieces))
        diff_id = blob.commit(durable=False)
        size = blob.size_bytes
    store.unpacked.adopt(diff_id, directory, tally.size_bytes)
    store.pin(diff_id)
    return BuiltLayer(diff_id, Descriptor(media_type=OCI_LAYER, digest=diff_id, size=size))


def is_empty(directory: str) -> bool:
    with os.scandir(directory) as entries:
        return next(entries, None) is None


def register(
    store: LocalImageStore,
    result: Result,
    platform: Platform,
    names: tuple[Reference, ...],
    cache: bytes = b"",
) -> str:
    """Make *result* an image called *names*; its id. The same result has the same id.

    *cache* is the description of a cache for the image's config (`cache_to: type=inline`).
    """
    document = ImageDocument(
        created=result.created,
        author=result.author,
        architecture=platform.architecture,
        variant=platform.variant,
        os=platform.os,
        config=result.settings,
        rootfs=RootFileSystem(diff_ids=tuple(layer.diff_id for layer in result.layers)),
        history=result.history,
    )
    built = msgspec.to_builtins(document)
    built["rootfs"] = {"type": "layers", "diff_ids": [layer.diff_id for layer in result.layers]}
    if cache:
        built["moby.buildkit.cache.v0"] = base64.b64encode(cache).decode()
    data = msgspec.json.encode(built)
    config = Descriptor(media_type=OCI_CONFIG, digest=store.blobs.put(data), size=len(data))
    manifest = store.blobs.put(encode_manifest(config, [layer.blob for layer in result.layers]))
    rows = tuple(NameRow(name.name, name.tag, "", config.digest) for name in names)
    if not _is_registered(store, config.digest, manifest, rows):
        store.catalog.register(ImageRow(config.digest, manifest, time.time_ns()), rows)
    return config.digest


def _is_registered(
    store: LocalImageStore, image: str, manifest: str, names: tuple[NameRow, ...]
) -> bool:
    """Asking costs much less than a transaction, which waits for the disk."""
    row = store.catalog.image(image)
    if row is None or row.manifest != manifest:
        return False
    found = (store.catalog.tagged(name.repository, name.tag) for name in names)
    return all(each is not None and each.image == image and not each.target for each in found)
