"""Takes over the containers of a project from a supervisor that is gone.

Whatever the last one was doing when it was killed is finished or undone: half-made containers are
removed, running ones adopted, ended ones treated as if they ended now.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

from orchestra.engine.embedded import making, probing, running
from orchestra.engine.embedded.core import Container
from orchestra.engine.embedded.pump import LogPump
from orchestra.engine.embedded.restart import Backoff
from orchestra.errors import OrchestraError
from orchestra.linux.exitinfo import exit_status
from orchestra.linux.procfs import is_running
from orchestra.model.container import ContainerSpec
from orchestra.model.state import Status
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.runtime.statefile import container_ids, read_stored_state

if TYPE_CHECKING:
    from orchestra.engine.embedded.core import Core

_LOG = logging.getLogger(__name__)
_decode_spec = msgspec.json.Decoder(ContainerSpec).decode


def adopt_all(core: Core, parked: dict[str, tuple[int, ...]]) -> None:
    """Load every container of the project; *parked* are the fds kept for their runs, now ours."""
    for container_id in container_ids(core.layout, core.project):
        container = _load(core, container_id)
        if container is None:
            _discard(core, container_id)
        else:
            core.containers[container_id] = container
    for container in tuple(core.containers.values()):
        fds = _sorted(container, parked.pop(running.parking_key(container), (-1,)))
        _adopt(core, container, fds)
    for unknown in parked.values():
        _close(unknown)


class _Parked(NamedTuple):
    """What was kept for one run of a container, as `running.watch` parks it."""

    pidfd: int
    network: tuple[int, ...]
    outputs: tuple[int, ...]
    stdin: int


def _sorted(container: Container, fds: tuple[int, ...]) -> _Parked:
    stdin = -1
    if running.keeps_stdin(container.spec) and len(fds) > 1:
        fds, stdin = fds[:-1], fds[-1]
    outputs = max(1, len(fds) - running.output_count(container.spec))
    return _Parked(fds[0], fds[1:outputs], fds[outputs:], stdin)


def _close(fds: tuple[int, ...]) -> None:
    for fd in fds:
        os.close(fd)


def _load(core: Core, container_id: str) -> Container | None:
    try:
        with open(core.layout.spec_json(core.project, container_id), "rb") as file:
            spec = _decode_spec(file.read())
    except (OSError, msgspec.MsgspecError):
        return None
    state = read_stored_state(core.layout, core.project, container_id)
    if state is None:
        return None
    container = Container(spec, state)
    container.backoff = Backoff(attempts=state.restart_count)
    return container


def _discard(core: Core, container_id: str) -> None:
    """A container that was being created or removed when its supervisor was killed."""
    _LOG.warning("%s: removed, it was half-made", container_id)
    core.drivers.networks.release(container_id)
    core.trash.throw(core.layout.container(core.project, container_id))


def _adopt(core: Core, container: Container, fds: _Parked) -> None:
    state, pidfd = container.state, fds.pidfd
    container.scope = core.drivers.cgroups.find(
        core.cgroup_name(container), container.spec.resources
    )
    container.stdin = fds.stdin
    _reopen_output(core, container, fds.outputs)
    if state.pid and is_running(state.pid, state.start_ticks):
        if pidfd < 0:
            with contextlib.suppress(ProcessLookupError):
                pidfd = os.pidfd_open(state.pid)
        if pidfd >= 0:
            _adopt_running(core, container, pidfd, fds.network)
            return
    _close(fds.network)
    container.pidfd = pidfd
    if state.pid:
        status = core.exits.known_status(state.pid, state.start_ticks)
        if status is None:
            status = exit_status(state.pid, state.start_ticks, pidfd)
        running.exited(core, container, status)
        return
    running.release_run(core, container)  # a launch may have been under way
    if state.status == Status.REMOVING:
        making.remove_now(core, container, volumes=False)
    elif state.status == Status.RESTARTING:
        # Decided, and so an attempt, but counted in the state only when it happens.
        container.backoff = Backoff(attempts=state.restart_count + 1)
        running.schedule_restart(core, container, 0.0)


def _adopt_running(
    core: Core, container: Container, pidfd: int, network_fds: tuple[int, ...]
) -> None:
    running.watch(core, container, pidfd, network_fds)
    try:
        running.connect(core, container, network_fds)
    except (OrchestraError, OSError) as exc:
        _LOG.error("%s: its networks cannot be served: %s", container.state.name, exc)
    if container.state.status == Status.RUNNING:
        probing.begin(core, container)


def _reopen_output(core: Core, container: Container, fds: tuple[int, ...]) -> None:
    """Read on where the last supervisor stopped: the FIFOs by name, terminals as parked."""
    run_dir = core.layout.container_run(core.project, container.id)
    spec = container.spec
    if spec.process.tty:
        if fds:
            container.pump = LogPump(
                core.layout.log_dir(core.project, container.id), spec.log, core.loop
            )
            container.pump.add_terminal(fds[0])
        return
    if os.path.exists(f"{run_dir}/stdout"):
        container.pump = LogPump(
            core.layout.log_dir(core.project, container.id), spec.log, core.loop
        )
        container.pump.open_fifos(run_dir)
    _close(fds)  # they kept what was written alive until here
