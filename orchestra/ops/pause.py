"""`pause`: freeze the running containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.state import Status
from orchestra.ops.dispatch import dispatch
from orchestra.ops.target import find_containers
from orchestra.plan.lifecycle import plan_each
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


def pause(host: Host, target: Target, report: Report, *, dry_run: bool = False) -> None:
    """Freeze the running containers. Raises NotFound for unknown services."""
    dispatch(
        host,
        target.project,
        command="pause",
        plan=lambda: plan_each(
            (
                c
                for c in find_containers(host.layout, target, orphans=False)
                if c.status == Status.RUNNING
            ),
            Verb.PAUSE,
            {"type": "PauseContainer"},
        ),
        report=report,
        dry_run=dry_run,
    )
