"""Runs healthchecks: when `health.py` says, inside the container, killed when they take too long.

Of its output the first 4 KiB are kept.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.engine.embedded import health, waiting
from orchestra.engine.embedded.commands import RunningCommand
from orchestra.errors import OrchestraError
from orchestra.model.container import Hook
from orchestra.model.state import Health, Status

if TYPE_CHECKING:
    from orchestra.engine.embedded.core import Container, Core
    from orchestra.model.container import HealthCheck

OUTPUT_BYTES = 4096


class Probe:
    """One run of a healthcheck's command, whose verdict `probe_ended` gets once."""

    def __init__(self, core: Core, container: Container, check: HealthCheck) -> None:
        """Raises OSError or OrchestraError when it cannot be started."""
        self._core = core
        self._container = container
        self._output = b""
        self._command = RunningCommand(
            core,
            container,
            Hook(argv=health.probe_argv(check)),
            take=self._take,
            ended=self._ended,
        )
        self._timer = core.loop.call_later(health.timeout_s(check), self._timed_out)

    def _take(self, content: bytes) -> None:
        self._output = (self._output + content)[:OUTPUT_BYTES]

    def _ended(self, status: int) -> None:
        self._timer.cancel()
        probe_ended(self._core, self._container, self._output, succeeded=status == 0)

    def _timed_out(self) -> None:
        self.cancel()
        output = self._output or b"the healthcheck took too long"
        probe_ended(self._core, self._container, output, succeeded=False)

    def cancel(self) -> None:
        """Kill it; no verdict follows."""
        self._timer.cancel()
        self._command.cancel()


def begin(core: Core, container: Container) -> None:
    """The container runs: schedule its first check, if it has one."""
    check = container.spec.healthcheck
    if check is None or not health.is_enabled(check):
        return
    container.health = health.HealthTrack(time.monotonic(), container.state.health)
    _schedule(core, container, check)


def stop(container: Container) -> None:
    """The container has ended or is frozen: no more checks."""
    if container.health_timer is not None:
        container.health_timer.cancel()
        container.health_timer = None
    if container.probe is not None:
        container.probe.cancel()
        container.probe = None
    container.health = None


def _schedule(core: Core, container: Container, check: HealthCheck) -> None:
    if container.health is not None:
        delay_s = health.next_delay_s(check, container.health, time.monotonic())
        container.health_timer = core.loop.call_later(
            delay_s, lambda: _start_probe(core, container, check)
        )


def _start_probe(core: Core, container: Container, check: HealthCheck) -> None:
    container.health_timer = None
    if container.state.status != Status.RUNNING:
        return
    try:
        container.probe = Probe(core, container, check)
    except (OrchestraError, OSError) as exc:
        probe_ended(core, container, str(exc).encode(), succeeded=False)


def probe_ended(core: Core, container: Container, output: bytes, *, succeeded: bool) -> None:
    """Note a verdict: the state, those who wait for it, the next check."""
    container.probe = None
    check = container.spec.healthcheck
    if check is None or container.health is None:
        return
    container.probe_output = output
    before = container.health
    container.health = health.after_probe(check, before, time.monotonic(), succeeded=succeeded)
    if container.health != before:
        state = container.state._replace(
            health=container.health.status, failing_streak=container.health.failing_streak
        )
        core.set_state(container, state)
        if container.health.status != before.status:
            core.emit(container, f"health_status: {state.health}")
            waiting.settle(container)
    _schedule(core, container, check)


def initial_status(check: HealthCheck | None) -> str:
    """The health of a container that has just been started."""
    return Health.STARTING if health.is_enabled(check) else Health.NONE
