"""`rm`: remove stopped containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE
from orchestra.ops.dispatch import dispatch
from orchestra.ops.target import find_containers
from orchestra.plan.lifecycle import plan_remove

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


def removable(layout: Layout, target: Target, *, stop: bool) -> tuple[ContainerState, ...]:
    """What `rm` would remove: stopped containers, with *stop* running ones as well.

    One-off containers and orphans stay, as with Docker Compose.
    Raises NotFound for unknown services.
    """
    return tuple(
        container
        for container in find_containers(layout, target, orphans=False)
        if stop or container.status not in ALIVE
    )


def rm(
    host: Host,
    target: Target,
    report: Report,
    *,
    stop: bool,
    volumes: bool,
    dry_run: bool = False,
) -> None:
    """Remove what `removable` names, with *volumes* their anonymous volumes too."""
    dispatch(
        host,
        target.project,
        command="rm",
        plan=lambda: plan_remove(removable(host.layout, target, stop=stop), volumes=volumes),
        report=report,
        dry_run=dry_run,
    )
