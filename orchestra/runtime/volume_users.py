"""Which containers mount a volume, by their state files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.state import Status
from orchestra.runtime.statefile import projects, read_states

if TYPE_CHECKING:
    from orchestra.layout import Layout


def users_of_volume(layout: Layout, volume: str) -> tuple[str, ...]:
    """The names of the containers, of any project, that mount *volume*."""
    return tuple(
        state.name
        for project in projects(layout)
        for state in read_states(layout, project)
        if volume in state.mounts and state.status != Status.REMOVING
    )
