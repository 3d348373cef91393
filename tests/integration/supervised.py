"""A project driven through its supervisor's socket, for the tests that kill things."""

from __future__ import annotations

import os
import secrets
import signal
from typing import TYPE_CHECKING

from orchestra.engine import base
from orchestra.engine.base import CreateContainer, RemoveContainer, StartContainer, call
from orchestra.layout import Layout
from orchestra.linux.procfs import is_running
from orchestra.model.container import ContainerId, ContainerSpec, ImageId, Process
from orchestra.runtime.logread import Log, LogLine
from orchestra.runtime.statefile import read_states
from orchestra.wiring import LocalHost
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from orchestra.model.state import ContainerState

NAME = "supervised"
FOREVER = "trap 'exit 0' TERM; echo up; while :; do sleep 1000 & wait; done"


class Supervised:
    """One project, its layout and an engine over the socket."""

    def __init__(self, data_root: str, run_root: str) -> None:
        self.layout = Layout(data_root, run_root)
        self.host = LocalHost(self.layout)
        self.engine = self.host.open_engine(NAME)

    # -- containers ---------------------------------------------------------------------------
    def spec(self, script: str, **fields: object) -> ContainerSpec:
        """A container on the host's image that runs *script*, without networks."""
        identifier = ContainerId(secrets.token_hex(32))
        process = Process(argv=("sh", "-c", script), env=(("PATH", "/usr/bin:/bin"),))
        given: dict[str, object] = {"process": process, "name": f"test-{identifier[:8]}", **fields}
        return ContainerSpec(
            id=identifier,
            project=NAME,
            service="test",
            image="host",
            image_id=ImageId("host"),
            **given,  # type: ignore[arg-type]
        )

    def started(self, script: str, **fields: object) -> ContainerId:
        spec = self.spec(script, **fields)
        call(self.engine, CreateContainer(spec=spec))
        call(self.engine, StartContainer(id=spec.id))
        return spec.id

    def forever(self, **fields: object) -> ContainerId:
        """A container that runs until SIGTERM, and is ready for that."""
        identifier = self.started(FOREVER, **fields)
        eventually(lambda: self.lines(identifier), within_s=10)
        return identifier

    def state(self, identifier: ContainerId) -> ContainerState:
        """As a reader without a supervisor sees it."""
        return next(s for s in read_states(self.layout, NAME) if s.id == identifier)

    def lines(self, identifier: ContainerId) -> list[LogLine]:
        log = Log(self.layout.log_dir(NAME, identifier))
        try:
            return list(log.read())
        finally:
            log.close()

    def exit_code(self, identifier: ContainerId) -> int | None:
        return call(self.engine, base.WaitExited(id=identifier)).exit_code

    # -- processes ----------------------------------------------------------------------------
    def processes(self) -> tuple[tuple[int, int], ...]:
        """(pid, start ticks) of the supervisor and of its reaper."""
        with open(self.layout.supervisor_pid(NAME)) as file:
            words = [line.split() for line in file]
        if len(words) != 2:
            raise OSError("the supervisor is just coming up")
        return tuple((int(pid), int(ticks)) for pid, ticks in words)

    def kill_supervisor(self) -> None:
        self._kill(0)

    def kill_reaper(self) -> None:
        self._kill(1)

    def _kill(self, index: int) -> None:
        pid, ticks = eventually(self.processes, within_s=5)[index]
        assert is_running(pid, ticks)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_running(pid, ticks), within_s=5)

    def has_recovered(self) -> bool:
        """Is there a supervisor again that answers?"""
        engine = self.host.connect(NAME)
        if engine is None:
            return False
        engine.close()
        return all(is_running(pid, ticks) for pid, ticks in self.processes())

    def close(self) -> None:
        """Remove everything; then supervisor and reaper end by themselves."""
        for container in self.engine.observe().containers:
            call(self.engine, RemoveContainer(id=ContainerId(container.id), force=True))
        processes = self.processes()
        self.engine.close()
        eventually(lambda: not any(is_running(pid, ticks) for pid, ticks in processes), within_s=10)
