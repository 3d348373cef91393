"""The supervisor's client keeps the contract, with real containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.engine import base
from orchestra.layout import Layout
from orchestra.wiring import LocalHost
from tests.conformance.engine_contract import PROJECT, EngineContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.network]


class TestSupervisorClient(EngineContract):
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[base.Engine]:
        """A supervisor of its own; everything in it is removed afterwards."""
        layout = Layout(str(tmp_path / "data"), str(tmp_path / "run"))
        engine = LocalHost(layout).open_engine(PROJECT)
        try:
            yield engine
        finally:
            engine.close()
            clean = LocalHost(layout).open_engine(PROJECT)
            left = clean.observe()
            for container in left.containers:
                request = base.RemoveContainer(id=container.id, force=True, volumes=True)  # type: ignore[arg-type]
                base.call(clean, request)
            for network in left.networks:
                base.call(clean, base.RemoveNetwork(name=network.spec.name))
            for volume in left.volumes:
                base.call(clean, base.RemoveVolume(name=volume.spec.name))
            clean.close()
