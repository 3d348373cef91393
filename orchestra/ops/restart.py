"""`restart`: stop and start containers, dependencies first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.ops.dispatch import dispatch
from orchestra.ops.target import Target, find_containers
from orchestra.plan.lifecycle import plan_restart, with_restarting_dependents

if TYPE_CHECKING:
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan
    from orchestra.plan.lifecycle import Frame


def restart(
    host: Host,
    target: Target,
    report: Report,
    *,
    grace_s: float | None = None,
    dependents: bool = True,
    dry_run: bool = False,
) -> None:
    """Restart containers and, with *dependents*, those that depend on them with `restart: true`.

    Raises NotFound for unknown services.
    """

    def plan() -> Plan[Frame]:
        chosen = find_containers(host.layout, target, orphans=False)
        if dependents and target.services:
            everything = find_containers(host.layout, Target(target.project))
            chosen = with_restarting_dependents(chosen, everything)
        return plan_restart(chosen, grace_s)

    dispatch(host, target.project, command="restart", plan=plan, report=report, dry_run=dry_run)
