"""Push: an image of the store to its name at a registry.

Blobs go in a few threads: those that are there already are left alone, those of other
repositories of the same registry are mounted, the rest is sent. The manifest comes last. The
threads have ended when `push` returns or raises.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Protocol

from orchestra.errors import ConfigError, RegistryError
from orchestra.image.manifest import Descriptor, Manifest, media_type_of, parse_manifest
from orchestra.registry.base import LayerPhase, LayerProgress, Pushed
from orchestra.registry.client import Upload
from orchestra.registry.failures import Transient
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
    mounts = {
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
        def send(client: RegistryClient) -> Pushed:
            part = Stop()
            with stop.breaking(part):
                _Push(reference, client, source, tell, part).send(manifest, mounts)
                client.put_manifest(reference.tag, data, media_type_of(manifest))
            return Pushed(digest, len(data))

        return registries.writing(reference, tuple(repositories), send)

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

    def send(self, manifest: Manifest, mounts: dict[str, tuple[str, ...]]) -> None:
        """All layers, then the config; the first failure stops the rest and is raised."""
        layers = {layer.digest: layer for layer in manifest.layers}
        jobs = [partial(self._blob, layer, mounts[digest]) for digest, layer in layers.items()]
        run_together(jobs, threads=PARALLEL_UPLOADS, stop=self._stop)
        self._blob(manifest.config, mounts[manifest.config.digest], watched=False)

    def _blob(self, blob: Descriptor, mounts: tuple[str, ...], *, watched: bool = True) -> None:
        def tell(phase: LayerPhase, done_bytes: int = 0, detail: str = "") -> None:
            if watched:
                self._watch(
                    LayerProgress(
                        self._reference, blob.digest, phase, done_bytes, blob.size, detail
                    )
                )

        tell(LayerPhase.PREPARING)
        if self._client.has_blob(blob.digest):
            tell(LayerPhase.PUSHED_BEFORE, blob.size)
            return
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
            try:
                target = location or self._client.begin_upload(blob.digest, None)
                location = ""
                if target is not None:
                    self._client.finish_upload(
                        target, Upload(blob.digest, blob.size, lambda: self._chunks(blob, tell))
                    )
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

    def _chunks(self, blob: Descriptor, tell: Tell) -> Iterator[bytes]:
        with os.fdopen(self._source.blobs.open(blob.digest), "rb", buffering=0) as file:
            sent = 0
            while chunk := file.read(_CHUNK_BYTES):
                self._stop.check()
                tell(LayerPhase.PUSHING, sent)
                yield chunk
                sent += len(chunk)
