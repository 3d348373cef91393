"""`container prune`: containers that do not run, of every project."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE
from orchestra.ops import container_ask as ask
from orchestra.ops.container_find import all_states
from orchestra.ops.system_df import written_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.ops.host import Host
    from orchestra.ops.object_filters import ObjectFilters


def container_prune(host: Host, filters: ObjectFilters) -> Iterator[tuple[str, int]]:
    """Remove them: id and freed bytes of each. One that has just been started is left alone."""
    now_ns = time.time_ns()
    sizes = {
        state.id: written_bytes(host.layout, state)
        for state in all_states(host.layout)
        if state.status not in ALIVE
        and filters.labels_pass(dict(state.labels))
        and filters.older_than(state.created_ns, now_ns)
    }
    for answer in ask.ask_each(host, sizes, ask.remove(force=False, volumes=False)):
        if answer.error is None:
            yield answer.asked, sizes[answer.asked]
