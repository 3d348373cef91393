"""A Docker Engine keeps the contract too: what it asks of ours is what Docker does."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest

from orchestra.engine import base
from orchestra.errors import OrchestraError
from tests.conformance.engine_contract import EngineContract
from tests.support.docker_engine import DockerEngine, why_no_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("docker", reason="needs Docker's SDK for Python")

from tests.support.sdk_engine import SdkEngine

_REASON = why_no_engine() or (None if shutil.which("busybox") else "needs busybox-static")
pytestmark = [
    pytest.mark.root,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(bool(_REASON), reason=_REASON or ""),
]

IMAGE = "contract:busybox"


@pytest.fixture(scope="module")
def dockerd(outer_namespaces: None) -> Iterator[DockerEngine]:
    del outer_namespaces
    with DockerEngine() as running:
        running.import_busybox(IMAGE)
        yield running


class TestDockerEngine(EngineContract):
    image = IMAGE

    @pytest.fixture
    def engine(self, dockerd: DockerEngine) -> Iterator[base.Engine]:
        engine = SdkEngine(dockerd.host)
        try:
            yield engine
        finally:
            left = engine.observe()
            for container in left.containers:
                request = base.RemoveContainer(id=container.id, force=True)  # type: ignore[arg-type]
                base.call(engine, request)
            for network in left.networks:
                base.call(engine, base.RemoveNetwork(name=network.spec.name))
            for volume in left.volumes:
                with contextlib.suppress(OrchestraError):
                    base.call(engine, base.RemoveVolume(name=volume.spec.name))
            engine.close()
