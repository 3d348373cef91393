"""A host in memory: the fake engine, images by name, and a layout in a temporary directory."""

from __future__ import annotations

import time
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from orchestra.build.events import StepEvent, StepPhase
from orchestra.cgroup.disabled import NoManager
from orchestra.engine.fake import Behaviour, FakeEngine
from orchestra.errors import NotFound, RegistryError
from orchestra.image.snapshot.overlay import OverlaySnapshotter
from orchestra.layout import Layout
from orchestra.registry.base import LayerPhase, LayerProgress, Pulled, PullEnded
from orchestra.volume.local import LocalVolumes
from tests.unit.plan.projects import image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from orchestra.build.build import Job
    from orchestra.build.request import BuildRequest
    from orchestra.model.image import ImageConfig
    from orchestra.plan.events import Progress
    from orchestra.registry.base import PullRequest


class MemoryImages:
    """An image store that begins with the image "app"."""

    def __init__(self) -> None:
        self.checked_ns_of = {"app": 0}

    def resolve(self, reference: str) -> ImageConfig:
        if reference not in self.checked_ns_of:
            raise NotFound(f'no image "{reference}"', fix="pull it")
        return image()

    def checked_ns(self, reference: str) -> int:
        return self.checked_ns_of[reference]


class MemoryHost:
    """Every project has the one engine; `supervised` tells whether it was opened."""

    def __init__(self, layout: Layout, engine: FakeEngine) -> None:
        self.layout = layout
        self.engine = engine
        self.supervised = False
        self.events: list[Progress] = []
        self.published: set[str] = set()  # what the registry has
        self.pulled: list[PullRequest] = []
        self.built: list[BuildRequest] = []
        self._images = MemoryImages()

    def images(self) -> MemoryImages:
        return self._images

    def snapshots(self) -> OverlaySnapshotter:
        return OverlaySnapshotter(lambda _: ())

    def cgroups(self) -> NoManager:
        return NoManager("there are none in memory")

    def volumes(self) -> LocalVolumes:
        return LocalVolumes(self.layout)

    def pull(self, requests: Sequence[PullRequest]) -> Iterator[LayerProgress | PullEnded]:
        for request in requests:
            self.pulled.append(request)
            name = request.reference.familiar.removesuffix(":latest")
            if name not in self.published:
                yield PullEnded(request, error=RegistryError(f"no {name}", fix="push it"))
                continue
            digest = f"sha256:{'5' * 64}"
            yield LayerProgress(request.reference, digest, LayerPhase.DOWNLOADED, 7, 7)
            self._images.checked_ns_of[name] = time.time_ns()
            yield PullEnded(request, Pulled(digest, is_new=True))

    def build(
        self, jobs: Mapping[str, Job], watch: Callable[[str, StepEvent], None]
    ) -> dict[str, str]:
        order = TopologicalSorter({name: job.needs for name, job in jobs.items()})
        for name in order.static_order():
            self.built.append(jobs[name].request)
            for tag in jobs[name].request.names:
                self._images.checked_ns_of[tag.familiar.removesuffix(":latest")] = 0
            watch(name, StepEvent(1, "[0 1/1] FROM scratch", StepPhase.DONE))
        return dict.fromkeys(jobs, f"sha256:{'6' * 64}")

    def connect(self, project: str) -> FakeEngine | None:  # noqa: ARG002
        return self.engine if self.supervised else None

    def expect_engine(self) -> None: ...

    def open_engine(self, project: str) -> FakeEngine:  # noqa: ARG002
        self.supervised = True
        return self.engine

    def statuses(self) -> dict[str, str]:
        return {c.name: c.status for c in self.engine.observe().containers}

    def texts(self) -> list[str]:
        return [event.text for event in self.events]


@pytest.fixture
def host(tmp_path: Path) -> MemoryHost:
    layout = Layout(str(tmp_path / "data"), str(tmp_path / "run"))
    return MemoryHost(layout, FakeEngine({"migrate": Behaviour(exit_code=0)}))
