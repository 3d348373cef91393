"""The builds before `up`, `create` and `run`: what has a `build` and no image yet, or is to be new.

Only a project that builds something imports the builder.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.service import PullPolicy
from orchestra.plan.container import image_reference
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from orchestra.build.events import StepEvent
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.ops.contexts import Contexts
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report


class Building(Enum):
    """`--build`, neither, `--no-build`."""

    ALWAYS = "always"
    MISSING = "missing"
    NEVER = "never"


def build_before_up(host: Host, project: Project, building: Building, report: Report) -> None:
    """Build what the services of *project* have no image for, or all that they can build.

    Raises BuildError and what else a build raises.
    """
    services = tuple(
        service for service in project.services if _is_due(host, project, service, building)
    )
    if not services:
        return
    from orchestra.ops.build import with_bases
    from orchestra.ops.contexts import Contexts

    due = {service.name for service in services}
    wanted = tuple(
        service
        for service in with_bases(project, services)
        if service.name in due or _is_missing(host, project, service)
    )
    with Contexts(host.layout) as contexts:
        _build(host, project, wanted, contexts, report)


def _is_due(host: Host, project: Project, service: Service, building: Building) -> bool:
    if service.build is None or building is Building.NEVER:
        return False
    if building is Building.ALWAYS or service.pull_policy is PullPolicy.BUILD:
        return True
    return _is_missing(host, project, service)


def _is_missing(host: Host, project: Project, service: Service) -> bool:
    try:
        host.images().resolve(image_reference(project, service))
    except NotFound:
        return True
    return False


def _build(
    host: Host,
    project: Project,
    services: tuple[Service, ...],
    contexts: Contexts,
    report: Report,
) -> None:
    from orchestra.build.events import StepPhase
    from orchestra.ops.build import build_services
    from orchestra.ops.buildrequest import Extras, Surroundings

    resources = {s.name: f"Image {image_reference(project, s)}" for s in services}

    def watch(service: str, event: StepEvent) -> None:
        resource = resources.get(service, "")
        if event.phase is StepPhase.STARTED and resource:
            report(Progress(resource, Phase.WORKING, f"Building {event.title}"))
        elif event.phase is StepPhase.WARNING:
            report(Progress("", Phase.WARNING, event.text))
        elif event.phase is StepPhase.FAILED:
            report(Progress(resource, Phase.FAILED, "Error"))

    around = Surroundings(project.working_dir, dict(project.environment), contexts=contexts)
    build_services(host, project, services, Extras(), around, watch)
    for resource in resources.values():
        report(Progress(resource, Phase.DONE, "Built"))
