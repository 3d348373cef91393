"""Images on their way into the store: layers unpacked as they come, the name given at the end."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from orchestra.errors import RegistryError
from orchestra.image.catalog import ImageRow, NameRow
from orchestra.image.config import parse_config
from orchestra.image.decompress import Limit, decompressed
from orchestra.image.manifest import Index, parse_manifest
from orchestra.image.platform import Platform, best_match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from types import TracebackType

    from orchestra.image.blobs import Blobs
    from orchestra.image.layers import Draft, Layers
    from orchestra.image.manifest import Descriptor, Manifest
    from orchestra.image.reference import Reference
    from orchestra.image.store import LocalImageStore
    from orchestra.model.image import ImageConfig

_UNPACKERS = 2
"""Layers unpacked at once. Most of it happens in the kernel and in decoders, without our lock."""


class _Sealer:
    """Publishes layers in a thread of its own, so that nobody who unpacks waits for the disk.

    What is unpacked while one syncfs(2) lasts is written by the next one: all together, however
    many they are.
    """

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._lock = threading.Lock()
        self._drafts: list[Draft] = []
        self._failure: BaseException | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="seal")

    def add(self, draft: Draft) -> Future[None]:
        """Take *draft* over; its layer is there when the future is done."""
        with self._lock:
            self._drafts.append(draft)
        return self._pool.submit(self._publish)

    def close(self) -> None:
        """Publish what has been added. Nobody adds anything afterwards."""
        self._pool.shutdown()

    def _publish(self) -> None:
        with self._lock:
            drafts, self._drafts = self._drafts, []
        try:
            if drafts:
                self._layers.publish(drafts)
        except BaseException as exc:
            self._failure = exc
            raise
        if self._failure is not None:  # an earlier call had this one's draft
            raise self._failure


class Receiver:
    """`image.base.ImageReceiver`. While it is entered nothing that it needs is swept."""

    def __init__(
        self, store: LocalImageStore, progress: Callable[[str, int], None] | None = None
    ) -> None:
        """*progress* hears a layer's digest and how many more bytes of its blob are unpacked."""
        self._store = store
        self._progress = progress
        self._stack = contextlib.ExitStack()
        self._pool: ThreadPoolExecutor | None = None
        self._sealer: _Sealer | None = None
        self._running: dict[str, Future[Future[None] | None]] = {}

    def __enter__(self) -> Self:
        self._stack.enter_context(self._store.holding())
        self._sealer = _Sealer(self._store.unpacked)
        self._stack.callback(self._sealer.close)
        self._pool = ThreadPoolExecutor(_UNPACKERS, thread_name_prefix="unpack")
        self._stack.callback(self._pool.shutdown, cancel_futures=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def blobs(self) -> Blobs:
        return self._store.blobs

    def known(self, reference: Reference, wanted: Platform) -> str | None:
        """What *reference* was registered with as *target*.

        None unless that image is complete here and *wanted* runs it.
        """
        row = self._store.row(reference)
        if row is None or not row.target or not self._store.is_complete(row.image):
            return None
        document = parse_config(self._store.blobs.read(row.image))
        has = Platform(os=document.os, architecture=document.architecture, variant=document.variant)
        return None if document.os and best_match(wanted, [has]) is None else row.target

    def confirm(self, reference: Reference) -> None:
        """The registry still has what `known` says."""
        row = self._store.row(reference)
        if row is not None:
            self._store.catalog.confirm(row, time.time_ns())

    def unpack(self, layer: Descriptor, diff_id: str) -> None:
        """Begin to unpack *layer*, whose blob is here, unless it is unpacked already."""
        if self._pool is None or self._sealer is None:
            raise AssertionError("the receiver has not been entered")
        if diff_id not in self._running and not self._store.unpacked.has(diff_id):
            self._running[diff_id] = self._pool.submit(self._unpack, layer, diff_id, self._sealer)

    def register(self, reference: Reference, target: str, manifest: str) -> ImageConfig:
        """Wait for its layers and name the image; all its blobs are here.

        Raises what unpacking has raised, and RegistryError for documents that contradict.
        """
        now_ns = time.time_ns()
        names = [NameRow(reference.name, "", target, "", now_ns)]
        if not reference.digest:
            names.append(NameRow(reference.name, reference.tag, target, "", now_ns))
        return self.add(manifest, tuple(names))

    def add(self, manifest: str, names: tuple[NameRow, ...]) -> ImageConfig:
        """As `register`, with the rows of the catalog; their image is filled in here."""
        image = self.complete(manifest)
        self._store.catalog.register(image, names)
        return self._store.image(image.id).config

    def complete(self, manifest: str) -> ImageRow:
        """Wait for the layers of *manifest*; the row that makes it an image once it is registered.

        Raises what unpacking has raised, and RegistryError for documents that contradict.
        """
        document = parse_manifest(self._store.blobs.read(manifest))
        if isinstance(document, Index):
            raise RegistryError(f"{manifest} is an index and no manifest of an image")
        pairs = paired_layers(self._store, document)
        for layer, diff_id in pairs:
            self.unpack(layer, diff_id)
        for _, diff_id in pairs:
            if diff_id in self._running:
                sealing = self._running[diff_id].result()
                if sealing is not None:
                    sealing.result()
        return ImageRow(document.config.digest, manifest, time.time_ns())

    def _unpack(self, layer: Descriptor, diff_id: str, sealer: _Sealer) -> Future[None] | None:
        def content() -> Iterator[bytes]:
            with open(self._store.blobs.open(layer.digest), "rb", buffering=0) as file:
                yield from decompressed(file, Limit(), self._reporter(layer.digest))

        try:
            draft = self._store.unpacked.draft(diff_id, content)
        except RegistryError as exc:
            exc.what = f"layer {layer.digest}: {exc.what}"
            raise
        return None if draft is None else sealer.add(draft)

    def _reporter(self, digest: str) -> Callable[[int], None] | None:
        progress = self._progress
        if progress is None:
            return None
        return lambda count: progress(digest, count)


def paired_layers(store: LocalImageStore, manifest: Manifest) -> tuple[tuple[Descriptor, str], ...]:
    """Each layer of *manifest* with the digest that its config states. Raises RegistryError."""
    config = parse_config(store.blobs.read(manifest.config.digest))
    if len(config.diff_ids) != len(manifest.layers):
        raise RegistryError(
            f"the manifest has {len(manifest.layers)} layers, its config {len(config.diff_ids)}",
            fix="the image is broken; build and push it again",
        )
    return tuple(zip(manifest.layers, config.diff_ids, strict=True))
