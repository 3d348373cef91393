"""Containers whose namespaces another one shares: by id or name, of this project or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import LaunchFailed
from orchestra.runtime.statefile import projects, read_states

if TYPE_CHECKING:
    from orchestra.engine.embedded.core import Core
    from orchestra.model.state import ContainerState


def running_peer(core: Core, kind: str, asked: str) -> ContainerState:
    """The running container that *asked* names. Raises LaunchFailed when there is none."""
    peer = _find(core, asked)
    if peer is None or not peer.pid:
        name = asked[:12] if peer is None else peer.name
        service = f' of service "{peer.service}"' if peer and peer.service else ""
        reason = "there is none of this name or id" if peer is None else "it is not running"
        raise LaunchFailed(
            f"cannot join the {kind} namespace of container {name}{service}: {reason}",
            fix="its command must go on as long as others share what it has",
        )
    return peer


def _find(core: Core, asked: str) -> ContainerState | None:
    """Our own first: what their files say may be older than what we know."""
    for container in core.containers.values():
        if asked in (container.id, container.state.name):
            return container.state
    for project in projects(core.layout):
        for state in read_states(core.layout, project) if project != core.project else ():
            if asked in (state.name, state.id):
                return state
    return None
