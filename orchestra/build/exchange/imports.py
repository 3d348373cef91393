"""Results of steps from the caches of other machines: looked up by key, their layers fetched then.

Nothing is asked before the first step that this machine has no result of. A cache that cannot be
had or is damaged is told once, and the build goes on without it.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.exchange.document import (
    CACHE_CONFIG,
    MAX_BYTES,
    Known,
    Offer,
    offers,
    parse_document,
    parse_inline,
)
from orchestra.build.records import Record
from orchestra.errors import NotFound, OrchestraError, RegistryError
from orchestra.image.config import parse_config
from orchestra.image.decompress import Limit, decompressed
from orchestra.image.manifest import Index, choose_manifest, parse_manifest
from orchestra.model.container import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orchestra.build.exchange.places import Place
    from orchestra.image.manifest import Descriptor, Manifest
    from orchestra.image.platform import Platform
    from orchestra.image.store import LocalImageStore

_DAMAGE = (OrchestraError, OSError, ValueError)


class Source(NamedTuple):
    """A place to look into; *name* is how the user has written it."""

    name: str
    place: Place


class _InlineCache(Frozen, frozen=True, kw_only=True):
    cache: str = msgspec.field(default="", name="moby.buildkit.cache.v0")


class Imports:
    """All `cache_from` of a build."""

    def __init__(
        self,
        sources: tuple[Source, ...],
        store: LocalImageStore,
        platform: Platform,
        warn: Callable[[str], None],
    ) -> None:
        self._sources = sources
        self._store = store
        self._platform = platform
        self._warn = warn
        self._opened: list[tuple[Source, Mapping[str, Offer]]] | None = None

    def has_layer(self, record: Record) -> bool:
        """Is everything of *record* on this machine?"""
        return not record.diff_id or (
            self._store.unpacked.has(record.diff_id) and self._store.blobs.has(record.blob)
        )

    def find(self, key: str) -> Record | None:
        """What one of the caches has for *key*; its layer is in the store then."""
        for source, known in self._open():
            offer = known.get(key)
            if offer is None:
                continue
            try:
                return self._taken(source, offer)
            except _DAMAGE as exc:
                self._warn(f"the cache {source.name} has a layer that cannot be used: {exc}")
        return None

    def _open(self) -> list[tuple[Source, Mapping[str, Offer]]]:
        if self._opened is None:
            self._opened = []
            for source in self._sources:
                try:
                    self._opened.append((source, self._offers(source.place)))
                except _DAMAGE as exc:
                    self._warn(f"the cache {source.name} cannot be read: {exc}")
        return self._opened

    def _offers(self, place: Place) -> dict[str, Offer]:
        top = parse_manifest(place.manifest())
        if isinstance(top, Index):
            for entry in top.manifests:
                if entry.media_type == CACHE_CONFIG:
                    return offers(parse_document(self._read(place, entry)), top.manifests)
            chosen = choose_manifest(top, self._platform)
            top = parse_manifest(place.manifest(chosen.digest))
            if isinstance(top, Index):
                raise RegistryError("an index lies in an index")
        if top.config.media_type == CACHE_CONFIG:
            return offers(parse_document(self._read(place, top.config)), top.layers)
        return self._inline(place, top)

    def _inline(self, place: Place, manifest: Manifest) -> dict[str, Offer]:
        data = self._read(place, manifest.config)
        diff_ids = parse_config(data).diff_ids
        text = msgspec.json.decode(data, type=_InlineCache).cache
        if not text:
            raise NotFound(
                "it is an image without a cache", fix="push it with --cache-to type=inline"
            )
        if len(diff_ids) != len(manifest.layers):
            raise RegistryError("the image's manifest and config contradict each other")
        layers = [Known(*pair) for pair in zip(diff_ids, manifest.layers, strict=True)]
        try:
            return parse_inline(base64.b64decode(text, validate=True), layers)
        except binascii.Error as exc:
            raise RegistryError("the image's inline cache is malformed") from exc

    def _read(self, place: Place, blob: Descriptor) -> bytes:
        if blob.size > MAX_BYTES:
            raise RegistryError(f"a cache's description of {blob.size} bytes is too large")
        place.fetch(blob)
        return self._store.blobs.read(blob.digest)

    def _taken(self, source: Source, offer: Offer) -> Record:
        blob, store = offer.blob, self._store
        if blob is None:
            return Record(created_ns=offer.created_ns, detail=f"from {source.name}")
        if not store.blobs.has(blob.digest):
            source.place.fetch(blob)

        def content() -> Iterator[bytes]:
            with os.fdopen(store.blobs.open(blob.digest), "rb", buffering=0) as file:
                yield from decompressed(file, Limit())

        store.unpacked.add(offer.diff_id, content)
        store.pin(offer.diff_id)
        store.pin(blob.digest)
        return Record(
            diff_id=offer.diff_id,
            blob=blob.digest,
            media_type=blob.media_type,
            size_bytes=blob.size,
            created_ns=offer.created_ns,
            detail=f"from {source.name}",
        )
