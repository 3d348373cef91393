"""One build's dealings with the caches of others: opened before it, written to after it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.build.events import StepEvent, StepPhase
from orchestra.build.exchange.shared import SharedRecords
from orchestra.build.exchange.spec import Kind
from orchestra.errors import BuildError, OrchestraError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from orchestra.build.events import Watch
    from orchestra.build.exchange.imports import Imports
    from orchestra.build.exchange.places import Place
    from orchestra.build.exchange.spec import CacheSpec
    from orchestra.build.request import BuildRequest
    from orchestra.image.store import LocalImageStore
    from orchestra.registry.registries import Registries

_STEP = 1_000_000
"""Above the numbers of all steps that change files."""


class Exchange:
    """A context manager; without `cache_from` and `cache_to` it costs nothing.

    *directory* is that of all builds.
    """

    def __init__(
        self, request: BuildRequest, store: LocalImageStore, directory: str, watch: Watch
    ) -> None:
        self.request = request
        self._store = store
        self._directory = directory
        self._watch = watch
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for note in self.request.notes:
            self._warn(note)
        for spec in (*self.request.cache_from, *self.request.cache_to):
            if spec.kind is Kind.OTHER:
                self._warn(
                    f'the cache "{spec.text}" is left out: orchestra exchanges caches by '
                    "type=registry, type=local and type=inline"
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _warn(self, text: str) -> None:
        self._watch(StepEvent(0, "", StepPhase.WARNING, text))

    # -- before -----------------------------------------------------------------------------------
    def records(self) -> SharedRecords:
        """New ones, with connections of their own: a forked process asks for its own records."""
        return SharedRecords(os.path.join(self._directory, "records"), self._imports())

    def _imports(self) -> Imports | None:
        specs = [spec for spec in self.request.cache_from if _is_place(spec)]
        if not specs:
            return None
        from orchestra.build.exchange.imports import Imports, Source

        registries = self._registries()
        sources = tuple(Source(spec.text, self._place(spec, registries)) for spec in specs)
        return Imports(sources, self._store, self.request.platform, self._warn)

    def _place(self, spec: CacheSpec, registries: Registries) -> Place:
        from orchestra.build.exchange.places import Layout, Repository

        if spec.reference is None:
            return Layout(spec, self._store.blobs)
        return Repository(spec.reference, registries, self._store.blobs)

    def _registries(self) -> Registries:
        from orchestra.registry.configuration import load_configuration
        from orchestra.registry.registries import Registries

        return self._stack.enter_context(Registries(load_configuration(os.environ), os.environ))

    # -- after ------------------------------------------------------------------------------------
    def inline(self, records: SharedRecords, chain: tuple[str, ...]) -> bytes:
        """What belongs into the config of the image with the layers *chain*, or nothing."""
        if not any(spec.kind is Kind.INLINE for spec in self.request.cache_to):
            return b""
        from orchestra.build.exchange.exports import inline_cache

        return inline_cache(records.used, chain)

    def export(self, records: SharedRecords, image: str) -> None:
        """Give the results of the build to each `cache_to`. Raises BuildError."""
        specs = [spec for spec in self.request.cache_to if _is_place(spec)]
        for number, spec in enumerate(specs):
            title = f"exporting cache to {spec.text}"
            step = _STEP + number
            self._watch(StepEvent(step, title, StepPhase.STARTED))
            try:
                self._send(spec, records, image)
            except (OrchestraError, OSError) as exc:
                self._watch(StepEvent(step, title, StepPhase.FAILED))
                what = exc.what if isinstance(exc, OrchestraError) else str(exc)
                text = f"the cache cannot be exported to {spec.text}: {what}"
                if not spec.ignores_errors:
                    fix = "add ignore-error=true if the build should not fail for it"
                    raise BuildError(text, fix=fix) from exc
                self._warn(text)
            else:
                self._watch(StepEvent(step, title, StepPhase.DONE))

    def _send(self, spec: CacheSpec, records: SharedRecords, image: str) -> None:
        from orchestra.build.exchange.exports import Exporter, exportable

        chain = self._store.image(image).document.diff_ids
        wanted = exportable(records.used, chain, is_max=spec.is_max)
        if records.used and not wanted:
            self._warn(
                f"the cache for {spec.text} is empty: what was built FROM host means nothing on "
                "another machine"
            )
        exporter = Exporter(self._store, os.path.join(self._directory, "compressed"))
        exported = exporter.export(wanted, chain)
        self._place(spec, self._registries()).send(exported.manifest, exported.data)


def _is_place(spec: CacheSpec) -> bool:
    return spec.kind in (Kind.REGISTRY, Kind.LOCAL)
