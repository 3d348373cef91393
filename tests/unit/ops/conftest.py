"""A host in memory: the fake engine, images by name, and a layout in a temporary directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.engine.fake import Behaviour, FakeEngine
from orchestra.errors import NotFound
from orchestra.layout import Layout
from tests.unit.plan.projects import image

if TYPE_CHECKING:
    from pathlib import Path

    from orchestra.model.image import ImageConfig
    from orchestra.plan.events import Progress


class MemoryImages:
    """An image store with the image "app"."""

    def resolve(self, reference: str) -> ImageConfig:
        if reference != "app":
            raise NotFound(f'no image "{reference}"', fix="pull it")
        return image()


class MemoryHost:
    """Every project has the one engine; `supervised` tells whether it was opened."""

    def __init__(self, layout: Layout, engine: FakeEngine) -> None:
        self.layout = layout
        self.engine = engine
        self.supervised = False
        self.events: list[Progress] = []

    def images(self) -> MemoryImages:
        return MemoryImages()

    def connect(self, project: str) -> FakeEngine | None:  # noqa: ARG002
        return self.engine if self.supervised else None

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
