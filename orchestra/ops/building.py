"""The builds before `up`, `create` and `run`: what has a `build` and no image yet, or is to be new.

Only a project that builds something imports the builder.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.service import PullPolicy
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.build.events import StepEvent
    from orchestra.model.project import Project
    from orchestra.model.service import Service
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
    services = services_to_build(host, project, building)
    if not services:
        return
    build_shown(host, project, services, lambda *_: None, report)


def services_to_build(host: Host, project: Project, building: Building) -> tuple[Service, ...]:
    """Those of *project* that *building* is about, with those whose images they need."""
    services = tuple(
        service for service in project.services if _is_due(host, project, service, building)
    )
    if not services:
        return ()
    from orchestra.ops.recipe import with_bases

    due = {service.name for service in services}
    return tuple(
        service
        for service in with_bases(project, services)
        if service.name in due or _is_missing(host, project, service)
    )


def build_shown(
    host: Host,
    project: Project,
    services: tuple[Service, ...],
    watch: Callable[[str, StepEvent], None],
    report: Report,
) -> tuple[str, ...]:
    """Build *services*; what was built, as progress names it. Raises what a build raises.

    *watch* hears the service's name with each event, and *report* the steps as progress.
    """
    from orchestra.ops.build import build_services
    from orchestra.ops.recipe import Extras, Surroundings

    resources = {s.name: f"Image {project.image_of(s)}" for s in services}
    tell = _watch(resources, report)

    def both(service: str, event: StepEvent) -> None:
        watch(service, event)
        tell(service, event)

    around = Surroundings(project.working_dir, dict(project.environment))
    build_services(host, project, services, Extras(), around, both)
    for resource in resources.values():
        report(Progress(resource, Phase.DONE, "Built"))
    return tuple(resources.values())


def _is_due(host: Host, project: Project, service: Service, building: Building) -> bool:
    if service.build is None or building is Building.NEVER:
        return False
    if building is Building.ALWAYS or service.pull_policy is PullPolicy.BUILD:
        return True
    return _is_missing(host, project, service)


def _is_missing(host: Host, project: Project, service: Service) -> bool:
    try:
        host.images().resolve(project.image_of(service))
    except NotFound:
        return True
    return False


def _watch(resources: Mapping[str, str], report: Report) -> Callable[[str, StepEvent], None]:
    """Tells the steps as progress of the images, by service."""
    from orchestra.build.events import StepPhase

    def watch(service: str, event: StepEvent) -> None:
        resource = resources.get(service, "")
        if event.phase is StepPhase.STARTED and resource:
            report(Progress(resource, Phase.WORKING, f"Building {event.title}"))
        elif event.phase is StepPhase.WARNING:
            report(Progress("", Phase.WARNING, event.text))
        elif event.phase is StepPhase.FAILED:
            report(Progress(resource, Phase.FAILED, "Error"))

    return watch
