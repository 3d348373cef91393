"""Pull: from a name at a registry to an image in the store.

Index, platform, manifest, then config and layers in a few threads; each layer is handed over for
unpacking as soon as it is here. The threads have ended when `pull` returns or raises, so that the
caller may fork.
"""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from orchestra.errors import RegistryError, Unsupported
from orchestra.image.config import parse_config
from orchestra.image.manifest import (
    DOCKER_CONFIG,
    MAX_CONFIG_BYTES,
    OCI_CONFIG,
    Descriptor,
    Index,
    Manifest,
    choose_manifest,
    parse_manifest,
)
from orchestra.image.platform import Platform, best_match
from orchestra.registry.base import LayerPhase, LayerProgress, Pulled
from orchestra.registry.download import Download
from orchestra.registry.together import Stop, run_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra.image.base import ImageReceiver
    from orchestra.image.config import ImageDocument
    from orchestra.registry.base import PullRequest, Watch
    from orchestra.registry.client import Fetched, RegistryClient
    from orchestra.registry.registries import Registries

_REPORT_STEP_BYTES = 1 << 19
_CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG, "application/octet-stream", ""})


def pull(
    request: PullRequest,
    registries: Registries,
    receiver: ImageReceiver,
    watch: Watch,
    stop: Stop | None = None,
) -> Pulled:
    """Have the image *request* asks for in the store of *receiver*, which has been entered.

    Nothing is registered unless all of it is here and verified. An image that has not changed
    costs one round trip, one named by its digest none. *stop* ends it from another thread.
    Raises RegistryError, Unsupported, Interrupted.
    """
    reference = request.reference
    known = receiver.known(reference, request.platform)
    if known is not None and known == reference.digest:
        return Pulled(known, is_new=False)

    def attempt(client: RegistryClient) -> Pulled:
        part = Stop()
        with (stop or Stop()).breaking(part):
            return _Pull(request, client, receiver, watch, part).run(known)

    return registries.reading(reference, attempt)


class _Pull:
    """One attempt at one endpoint."""

    def __init__(
        self,
        request: PullRequest,
        client: RegistryClient,
        receiver: ImageReceiver,
        watch: Watch,
        stop: Stop,
    ) -> None:
        self._request = request
        self._client = client.paused_by(stop.wait)
        self._receiver = receiver
        self._watch = watch
        self._stop = stop
        self._download = Download(self._client, receiver.blobs, self._stop)

    def run(self, known: str | None) -> Pulled:
        target = self._request.reference.target
        if known is not None and self._client.digest_of(target) == known:
            self._receiver.confirm(self._request.reference)
            return Pulled(known, is_new=False)
        top = self._client.manifest(target)
        chosen = self._manifest(top)
        manifest = parse_manifest(chosen.data, chosen.media_type)
        if not isinstance(manifest, Manifest):
            raise RegistryError("an index within an index is no image")
        self._fetch_all(manifest)
        for fetched in {top, chosen}:
            self._keep(fetched)
        self._receiver.register(self._request.reference, top.digest, chosen.digest)
        self._tell_all(manifest, LayerPhase.PULLED)
        return Pulled(top.digest, is_new=True)

    def _manifest(self, top: Fetched) -> Fetched:
        """The manifest that *top* is, or has for the platform."""
        document = parse_manifest(top.data, top.media_type)
        if not isinstance(document, Index):
            return top
        entry = choose_manifest(document, self._request.platform)
        return self._client.manifest(entry.digest)

    def _keep(self, fetched: Fetched) -> None:
        with self._receiver.blobs.ingest(fetched.digest, len(fetched.data)) as ingest:
            if not ingest.present:
                ingest.restart()
                ingest.write(fetched.data)
                ingest.commit()

    def _fetch_all(self, manifest: Manifest) -> None:
        """Config and layers; the first failure stops the rest and is raised."""
        _check(manifest)
        self._tell_all(manifest, LayerPhase.WAITING)
        config: Future[ImageDocument] = Future()
        jobs = [
            partial(self._layer, layer, position, config)
            for position, layer in _distinct(manifest.layers)
        ]
        # The config comes first, since the others await it.
        run_together(
            [partial(self._settle, config, manifest), *jobs],
            threads=self._request.parallel,
            stop=self._stop,
        )

    def _settle(self, config: Future[ImageDocument], manifest: Manifest) -> None:
        try:
            config.set_result(self._config(manifest))
        except BaseException as exc:
            config.set_exception(exc)
            raise

    def _config(self, manifest: Manifest) -> ImageDocument:
        self._download.fetch(manifest.config, lambda _: None, lambda _: None)
        document = parse_config(self._receiver.blobs.read(manifest.config.digest))
        _check_platform(document, self._request)
        if len(document.diff_ids) != len(manifest.layers):
            raise RegistryError(
                f"the image has {len(manifest.layers)} layers and a config for "
                f"{len(document.diff_ids)}",
                fix="build and push the image again",
            )
        return document

    def _layer(self, layer: Descriptor, position: int, config: Future[ImageDocument]) -> None:
        if self._receiver.blobs.has(layer.digest):
            self._tell(layer, LayerPhase.EXISTS, layer.size)
        else:
            told = _Steps(partial(self._tell, layer, LayerPhase.DOWNLOADING))
            self._download.fetch(
                layer,
                told.now,
                lambda exc: self._tell(layer, LayerPhase.RETRYING, told.last, exc.what),
            )
            self._tell(layer, LayerPhase.DOWNLOADED, layer.size)
        self._receiver.unpack(layer, config.result().diff_ids[position])

    def _tell_all(self, manifest: Manifest, phase: LayerPhase) -> None:
        for _, layer in _distinct(manifest.layers):
            self._tell(layer, phase, 0 if phase is LayerPhase.WAITING else layer.size)

    def _tell(
        self, layer: Descriptor, phase: LayerPhase, done_bytes: int, detail: str = ""
    ) -> None:
        self._watch(
            LayerProgress(
                self._request.reference, layer.digest, phase, done_bytes, layer.size, detail
            )
        )


class _Steps:
    """Passes on every half megabyte of what a download tells for each chunk."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self.last = 0

    def now(self, done_bytes: int) -> None:
        if not 0 <= done_bytes - self.last < _REPORT_STEP_BYTES:
            self.last = done_bytes
            self._tell(done_bytes)


def _distinct(layers: Iterable[Descriptor]) -> list[tuple[int, Descriptor]]:
    """Each blob once, with its first position; images may have one layer several times."""
    first: dict[str, tuple[int, Descriptor]] = {}
    for position, layer in enumerate(layers):
        first.setdefault(layer.digest, (position, layer))
    return list(first.values())


def _check(manifest: Manifest) -> None:
    """Raises Unsupported for what is no container image, RegistryError for absurd sizes."""
    if manifest.config.media_type not in _CONFIG_TYPES:
        raise Unsupported(
            f"this is no container image but a {manifest.config.media_type[:100]}",
            fix="check the image's name",
        )
    if manifest.config.size > MAX_CONFIG_BYTES:
        raise RegistryError(f"an image config of {manifest.config.size} bytes is too large")


def _check_platform(document: ImageDocument, request: PullRequest) -> None:
    """Raises Unsupported for an image of another system, or of none that was asked for.

    A foreign processor is let pass otherwise: binfmt_misc may run it.
    """
    if not document.os or not document.architecture:
        return
    has = Platform(os=document.os, architecture=document.architecture, variant=document.variant)
    wanted = request.platform
    if has.os != wanted.os or (request.is_chosen and best_match(wanted, [has]) is None):
        raise Unsupported(
            f"{request.reference.familiar} is for {has}, not for {wanted}",
            fix="choose another tag, or change `platform:`",
        )
