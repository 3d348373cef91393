"""`stop`: stop the running containers, dependents first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.ops.dispatch import dispatch
from orchestra.ops.target import find_containers
from orchestra.plan.lifecycle import plan_stop

if TYPE_CHECKING:
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


def stop(
    host: Host,
    target: Target,
    report: Report,
    *,
    grace_s: float | None = None,
    dry_run: bool = False,
) -> None:
    """Stop what runs; after *grace_s* (None: as each container says) it is killed.

    Raises NotFound for unknown services.
    """
    dispatch(
        host,
        target.project,
        command="stop",
        plan=lambda: plan_stop(find_containers(host.layout, target, orphans=False), grace_s),
        report=report,
        dry_run=dry_run,
    )
    if os.path.exists(host.layout.providers_json(target.project)) and not dry_run:
        from orchestra.ops import providers

        providers.stop(host.layout, target.project, target.services, report)
