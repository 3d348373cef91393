"""What a project should be: the project itself, the image and the config hash of each service."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.plan.unknown import unknown_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra.model.image import ImageConfig
    from orchestra.model.project import Project
    from orchestra.model.service import Service


class Desired(NamedTuple):
    """*project* holds the services that this command is about and what they depend on.

    *known* are the names of all services of the compose files, enabled or not: a container of any
    other service is an orphan. *linked* are the names that other services' `links` give a service,
    *other_images* the images, by reference, that `pre_start` commands run in and that are mounted.
    """

    project: Project
    images: Mapping[str, ImageConfig]
    hashes: Mapping[str, str]
    known: frozenset[str]
    linked: Mapping[str, tuple[str, ...]]
    other_images: Mapping[str, ImageConfig] = {}

    def aliases(self, service: str) -> tuple[str, ...]:
        """The names that *service* answers to on each of its networks."""
        return (service, *self.linked.get(service, ()))


class Dependencies(Enum):
    """Does a command for some services concern those that they depend on?"""

    INCLUDED = "included"
    LEFT_OUT = "left out"  # --no-deps


def all_service_names(project: Project) -> frozenset[str]:
    """The names of enabled and disabled services."""
    return frozenset(s.name for s in (*project.services, *project.disabled_services))


def select_services(
    project: Project, names: Iterable[str], dependencies: Dependencies = Dependencies.INCLUDED
) -> Project:
    """*project* with the services *names* and, unless left out, all that they depend on.

    No names: all enabled services. A service that is named is enabled, whatever its profiles.
    Raises NotFound for unknown names.
    """
    every = {s.name: s for s in (*project.disabled_services, *project.services)}
    pending = list(names)
    if not pending:
        return project
    for name in pending:
        if name not in every:
            raise unknown_service(name, every)
    chosen: dict[str, Service] = {}
    while pending:
        service = every[pending.pop()]
        if service.name in chosen:
            continue
        chosen[service.name] = service
        if dependencies is Dependencies.INCLUDED:
            pending += [edge.service for edge in service.depends_on if edge.service in every]
    return project.with_services(every[name] for name in sorted(chosen))
