"""`start`: start the containers that exist and do not run, dependencies first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.ops.dispatch import carry_out, dispatch
from orchestra.ops.target import Target, find_containers
from orchestra.plan.lifecycle import plan_ready, plan_start

if TYPE_CHECKING:
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan
    from orchestra.plan.lifecycle import Frame


def start(
    host: Host,
    target: Target,
    report: Report,
    *,
    wait: bool = False,
    wait_timeout_s: float | None = None,
    dry_run: bool = False,
) -> None:
    """Start what does not run, waiting for the conditions of `depends_on`.

    With *wait* until all are healthy, at most *wait_timeout_s*. Raises NotFound for unknown
    services and for those without a container, and TimedOut.
    """

    def plan() -> Plan[Frame]:
        chosen = find_containers(host.layout, target, orphans=False)
        present = {container.service for container in chosen}
        # as Docker Compose: of a project that has some containers, start those that there are
        for service in target.services or (() if chosen else target.declared or ()):
            if service not in present:
                raise NotFound(
                    f'service "{service}" has no container to start',
                    fix=f"`orchestra up -d {service}` creates it",
                )
        everything = find_containers(host.layout, Target(target.project), oneoffs=True)
        return plan_start(chosen, everything)

    dispatch(host, target.project, command="start", plan=plan, report=report, dry_run=dry_run)
    if wait and not dry_run:
        ready = plan_ready(find_containers(host.layout, target, orphans=False))
        carry_out(host, target.project, ready, report, timeout_s=wait_timeout_s)
