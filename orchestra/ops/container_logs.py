"""`container logs`: what one container has written and, when followed, what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound, Unsupported
from orchestra.model.state import ALIVE
from orchestra.ops.container_find import spec_fields
from orchestra.runtime.logfollow import follow
from orchestra.runtime.logread import Log
from orchestra.runtime.statefile import read_stored_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.runtime.logread import LogLine, Span


def container_logs(
    layout: Layout, state: ContainerState, span: Span, *, following: bool
) -> Iterator[LogLine]:
    """The lines of *span*; when *following* until the container has ended.

    Raises Unsupported for the log driver "none", NotFound when it has just been removed.
    """
    if spec_fields(layout, state).get("log", {}).get("driver") == "none":
        raise Unsupported(
            "configured logging driver does not support reading",
            fix="make the container without --log-driver none",
        )
    directory = layout.log_dir(state.project, state.id)
    if not following or state.status not in ALIVE:
        return Log(directory).read(span)

    def is_over() -> bool:
        now = read_stored_state(layout, state.project, state.id)
        return now is None or now.status not in ALIVE

    try:
        return follow(directory, layout.container(state.project, state.id), is_over, span)
    except FileNotFoundError as exc:
        raise NotFound(f"container {state.name} has just been removed") from exc
