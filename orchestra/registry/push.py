"""Push: an image of the store to its name at a registry.

Blobs go in a few threads: those that are there already are left alone, those of other
repositories of the same registry are mounted, the rest is sent. The manifest comes last. The
threads have ended when `push` returns or raises.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Protocol

from orchestra.errors import AuthRequired, ConfigError, RegistryError
from orchestra.image.manifest import Descriptor, Manifest, media_type_of, parse_manifest
from orchestra.registry.base import LayerPhase, LayerProgress, Pushed
from orchestra.registry.client import Upload
from orchestra.registry.failures import TooLarge, Transient
from orchestra.registry.together import Stop, run_together, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.image.base import ImageSource
    from orchestra.image.reference import Reference
    from orchestra.registry.base import Watch
    from orchestra.registry.client import RegistryClient
    from orchestra.registry.registries import Registries

    class Tell(Protocol):
        def __call__(self, phase: LayerPhase, done_bytes: int = 0, detail: str = "") -> None: ...


PARALLEL_UPLOADS = 5
"""As the Docker Engine's max-concurrent-uploads."""

_CHUNK_BYTES = 1 << 19
_MAX_MOUNTS = 4
_LARGEST_PART_BYTES = 64 << 20
_SMALLEST_PART_BYTES = 64 << 10

Mounts = dict[str, tuple[str, ...]]
"""Repositories of the same registry that may have a blob, by its digest."""


def push(reference: Reference, registries: Registries, source: ImageSource, watch: Watch) -> Pushed:
    """Make the registry have *reference* as *source* has it. Raises NotFound, RegistryError.

    *watch* is called in this thread; all others have ended afterwards. Raises ConfigError for a
    reference with a digest: content cannot be pushed under another's.
    """
    if reference.digest:
        raise ConfigError(
            "cannot push a digest reference", fix=f"push {reference.familiar_name}:TAG"
        )
    digest = source.published(reference)
    data = source.blobs.read(digest)
    manifest = parse_manifest(data)
    if not isinstance(manifest, Manifest):
        raise RegistryError(f"{reference.familiar} is an index, which cannot be pushed")
    blobs = {blob.digest: blob for blob in (*manifest.layers, manifest.config)}
    mounts: Mounts = {
        blob: tuple(
            origin.path
            for origin in source.origins(blob)
            if origin.domain == reference.domain and origin.path != reference.path
        )[:_MAX_MOUNTS]
        for blob in blobs
    }
    repositories = sorted({path for paths in mounts.values() for path in paths})

    stop = Stop()

    def work(tell: Watch) -> Pushed:
        def send(client: RegistryClient, mounts: Mounts = mounts) -> Pushed:
            part = Stop()
            with stop.breaking(part):
                _Push(reference, client, source, tell, part).send(manifest, mounts)
                client.put_manifest(reference.tag, data, media_type_of(manifest))
            return Pushed(digest, len(data))

        try:
            return registries.writing(reference, tuple(repositories), send)
        except AuthRequired:
            if not repositories:
                raise
        # Some registries refuse it all when one of the other repositories may not be read.
        return registries.writing(reference, (), lambda client: send(client, {}))

    return watched(work, watch, stop)


class _Push:
    def __init__(
        self,
        reference: Reference,
        client: RegistryClient,
        source: ImageSource,
        watch: Watch,
        stop: Stop,
    ) -> None:
        self._reference = reference
        self._stop = stop
        self._client = client.paused_by(self._stop.wait)
        self._source = source
        self._watch = watch
        self._largest_bytes = 0  # that a request may have; 0: no limit is known

    def send(self, manifest: Manifest, mounts: Mounts) -> None:
        """All layers, then the config; the first failure stops the rest and is raised."""
        layers = {layer.digest: layer for layer in manifest.layers}
        jobs = [
            partial(self._blob, layer, mounts.get(digest, ())) for digest, layer in layers.items()
        ]
        run_together(jobs, threads=PARALLEL_UPLOADS, stop=self._stop)
        config = manifest.config
        self._blob(config, mounts.get(config.digest, ()), watched=False)

    def _blob(self, blob: Descriptor, mounts: tuple[str, ...], *, watched: bool = True) -> None:
        def tell(phase: LayerPhase, done_bytes: int = 0, detail: str = "") -> None:
            if watched:
                self._watch(
                    LayerProgress(
                        self._reference, blob.digest, phase, done_bytes, blob.size, detail
                    )
                )

        if self._client.has_blob(blob.digest):
            tell(LayerPhase.PUSHED_BEFORE, blob.size)
            return
        tell(LayerPhase.PREPARING)
        location = ""
        for origin in mounts:
            mounted = self._client.begin_upload(blob.digest, origin)
            if mounted is None:
                tell(LayerPhase.MOUNTED, blob.size, origin)
                return
            location = mounted
        self._upload(blob, location, tell)

    def _upload(self, blob: Descriptor, location: str, tell: Tell) -> None:
        """Send the blob, from its first byte again after each passing failure."""
        patience, failures = self._client.patience, 0
        while True:
            largest = self._largest_bytes
            try:
                target = location or self._client.begin_upload(blob.digest, None)
                location = ""
                if target is not None:
                    self._send_to(target, blob, largest, tell)
            except TooLarge:
                if self._largest_bytes == largest:  # no other thread has been refused meanwhile
                    self._largest_bytes = _smaller(largest, blob.size)
                if not self._largest_bytes:
                    raise
            except Transient as exc:
                failures += 1
                delay = patience.backoff.delay_s(exc, failures, patience.jitter())
                if delay is None:
                    raise
                tell(LayerPhase.RETRYING, 0, exc.what)
                patience.pause(delay)
            else:
                tell(LayerPhase.PUSHED, blob.size)
                return

    def _send_to(self, target: str, blob: Descriptor, largest: int, tell: Tell) -> None:
        """Send the blob in one request, or in parts of at most *largest* bytes."""

        def part(begin: int, size: int) -> Upload:
            return Upload(blob.digest, size, lambda: self._chunks(blob, begin, size, tell))

        offset = 0
        while largest and blob.size - offset > largest:
            target = self._client.upload_part(target, offset, part(offset, largest))
            offset += largest
        self._client.finish_upload(target, part(offset, blob.size - offset))

    def _chunks(self, blob: Descriptor, begin: int, size: int, tell: Tell) -> Iterator[bytes]:
        with os.fdopen(self._source.blobs.open(blob.digest), "rb", buffering=0) as file:
            file.seek(begin)
            sent = 0
            while chunk := file.read(min(_CHUNK_BYTES, size - sent)):
                self._stop.check()
                tell(LayerPhase.PUSHING, begin + sent)
                yield chunk
                sent += len(chunk)


def _smaller(refused_bytes: int, blob_bytes: int) -> int:
    """How large requests may be after one has been refused, the blob in one for 0; 0: give up."""
    size = min(refused_bytes or blob_bytes, blob_bytes, 4 * _LARGEST_PART_BYTES) // 4
    return size if size >= _SMALLEST_PART_BYTES else 0
