"""`unpause`: let the paused containers go on."""

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


def unpause(host: Host, target: Target, report: Report, *, dry_run: bool = False) -> None:
    """Let the paused containers go on. Raises NotFound for unknown services."""
    dispatch(
        host,
        target.project,
        command="unpause",
        plan=lambda: plan_each(
            (
                c
                for c in find_containers(host.layout, target, orphans=False)
                if c.status == Status.PAUSED
            ),
            Verb.UNPAUSE,
            {"type": "UnpauseContainer"},
        ),
        report=report,
        dry_run=dry_run,
    )
