"""`commit`: a new image of what a service's container has written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.ops.container_commit import CommitOptions, container_commit
from orchestra.ops.target import any_container
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


def commit(
    host: Host,
    target: Target,
    options: CommitOptions,
    report: Report,
    *,
    index: int = 0,
    dry_run: bool = False,
) -> None:
    """As `container_commit`, for a container of the one service of *target*, which is found here.

    Raises NotFound for that as well.
    """
    state = any_container(host.layout, target, index=index)
    report(Progress(state.name, Phase.WORKING, "Committing"))
    text = "Committed"
    if not dry_run:
        text += f" as {container_commit(host, options._replace(container=state.id))}"
    report(Progress(state.name, Phase.DONE, text))
