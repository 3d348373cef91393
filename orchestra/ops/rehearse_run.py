"""`run --dry-run`: what would be made and started, and nothing done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.ops.gather import gather
from orchestra.ops.rehearse import rehearse
from orchestra.ops.rehearse_pull import rehearse_pulls
from orchestra.ops.up import UpOptions, new_id, observed_project, plan_for
from orchestra.plan.desired import Dependencies, select_services
from orchestra.plan.observed import Observed
from orchestra.plan.oneoff import oneoff_spec, overridden, plan_oneoff, with_volumes
from orchestra.plan.reconcile import Environment

if TYPE_CHECKING:
    from orchestra.model.project import Project
    from orchestra.ops.host import Host
    from orchestra.ops.run import RunOptions
    from orchestra.plan.events import Report


def rehearse_run(host: Host, project: Project, options: RunOptions, report: Report) -> str:
    """Report what `run` would do up to the start of its command; the container's name.

    Raises NotFound for an unknown service.
    """
    chosen = select_services(project, (options.service,), options.dependencies)
    images = rehearse_pulls(host, chosen, options.pull, report)
    desired = gather(project, (options.service,), options.dependencies, images)
    desired = with_volumes(desired, options.override.volumes)
    service = overridden(desired.project.service(options.service), options.override)
    found = observed_project(host, project.name)
    others = [s for s in desired.project.services if s.name != options.service]
    if others and options.dependencies is Dependencies.INCLUDED:
        wanted = desired._replace(project=desired.project.with_services(others))
        rehearse(plan_for(wanted, found, UpOptions()), report)
    observed = Observed(found)
    spec = oneoff_spec(
        desired,
        service,
        observed,
        Environment(new_id, __version__),
        use_aliases=options.override.use_aliases,
    )
    rehearse(plan_oneoff(desired, service, spec, observed, __version__), report)
    return spec.name
