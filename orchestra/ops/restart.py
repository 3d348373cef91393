"""`restart`: stop and start containers, dependencies first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.ops.dispatch import dispatch
from orchestra.ops.gather import hash_of
from orchestra.ops.provided import remembered
from orchestra.ops.target import Target, find_containers
from orchestra.plan.container import linked_names
from orchestra.plan.events import Phase, Progress
from orchestra.plan.lifecycle import plan_restart, with_restarting_dependents

if TYPE_CHECKING:
    from orchestra.model.project import Project
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


def warn_of_changes(host: Host, target: Target, project: Project, report: Report) -> None:
    """Name the services of *target* with a container of another configuration than *project*'s.

    Restarting does not change that.
    """
    project = remembered(host.layout, project)
    linked = linked_names((*project.services, *project.disabled_services))
    hashes = {
        service.name: hash_of(project, service, linked.get(service.name, ()))
        for service in (*project.services, *project.disabled_services)
    }
    containers = find_containers(host.layout, target, orphans=False)
    found = (c.service for c in containers if hashes.get(c.service) not in (None, c.config_hash))
    for name in dict.fromkeys(found):
        text = f'the configuration of service "{name}" has changed: `orchestra up` applies it'
        report(Progress("", Phase.WARNING, text))
