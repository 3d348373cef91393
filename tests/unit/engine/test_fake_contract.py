"""The engine in memory keeps the contract."""

from __future__ import annotations

import pytest

from orchestra.engine.fake import Behaviour, FakeEngine
from orchestra.errors import LaunchFailed
from orchestra.model.state import Health
from tests.conformance.engine_contract import EngineContract


class TestFakeEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> FakeEngine:
        return FakeEngine(
            {
                "exits-0": Behaviour(exit_code=0),
                "exits-3": Behaviour(exit_code=3),
                "exits-3-unhealthy": Behaviour(exit_code=3),
                "stubborn": Behaviour(ignores_stop_signal=True),
                "missing": Behaviour(launch_error=LaunchFailed("no such file", exit_code=127)),
                "runs-unhealthy": Behaviour(health=Health.UNHEALTHY),
            }
        )


def test_time_jumps_to_the_next_event_and_no_further() -> None:
    contract = TestFakeEngine()
    engine = FakeEngine({"exits-3": Behaviour(exit_code=3, runs_s=5.0)})
    contract.started(engine, "exits-3")
    before_ns = engine.now_ns
    assert engine.next_completion(2.0) is None
    assert engine.now_ns - before_ns == 2_000_000_000
    assert engine.observe().containers[0].status == "running"
    assert engine.next_completion(3.0) is None
    assert engine.observe().containers[0].exit_code == 3
