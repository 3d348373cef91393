"""`ls`: the projects of this host, from their files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.layout import NO_PROJECT
from orchestra.model.state import Status
from orchestra.named import NamedTuple
from orchestra.ops.projectfile import read_record
from orchestra.runtime.statefile import projects, read_states

if TYPE_CHECKING:
    from orchestra.layout import Layout


class ProjectLine(NamedTuple):
    """*counts* are (status, number of containers), sorted: `running(2), exited(1)`."""

    name: str
    counts: tuple[tuple[str, int], ...]
    compose_files: tuple[str, ...]

    @property
    def status(self) -> str:
        return ", ".join(f"{status}({count})" for status, count in self.counts)


def ls(layout: Layout, *, stopped_too: bool = False) -> tuple[ProjectLine, ...]:
    """The projects that have a running container, counting these; with *stopped_too* any."""
    lines: list[ProjectLine] = []
    for name in projects(layout):
        if name == NO_PROJECT:
            continue
        statuses = [
            state.status
            for state in read_states(layout, name)
            if stopped_too or state.status == Status.RUNNING
        ]
        if not statuses:
            continue
        record = read_record(layout, name)
        counts = tuple((status, statuses.count(status)) for status in sorted(set(statuses)))
        lines.append(ProjectLine(name, counts, record.compose_files if record else ()))
    return tuple(lines)
