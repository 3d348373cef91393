"""`down --rmi`: which images go with a project, and how they do."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from orchestra.errors import Conflict, NotFound
from orchestra.image.host import HOST_IMAGE
from orchestra.image.store import LocalImageStore
from orchestra.ops.image_rm import image_rm
from orchestra.ops.target import find_containers
from orchestra.plan.events import Phase, Progress
from orchestra.plan.execute import IN_USE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.layout import Layout
    from orchestra.model.project import Project
    from orchestra.model.state import ContainerState
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


class Images(Enum):
    """LOCAL: those that were built for a service without `image`; ALL: every service's."""

    LOCAL = "local"
    ALL = "all"


def images_of_project(
    project: Project, services: tuple[str, ...], which: Images
) -> tuple[str, ...]:
    """The images of *services* (none: all) that go, by the compose file."""
    return _sorted(
        project.image_of(service)
        for service in project.services
        if (not services or service.name in services) and (which is Images.ALL or not service.image)
    )


def images_of_containers(layout: Layout, target: Target, which: Images) -> tuple[str, ...]:
    """The same without the compose file. Raises NotFound for unknown services."""
    return _sorted(
        state.image
        for state in find_containers(layout, target)
        if which is Images.ALL or state.image in _made_up_images(state)
    )


def _made_up_images(state: ContainerState) -> tuple[str, ...]:
    """What an image is called that has no name in the compose file, as of now and as of old."""
    return tuple(f"{state.project}{separator}{state.service}" for separator in "-_")


def _sorted(references: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(references) - {HOST_IMAGE}))


def remove_images(
    layout: Layout, references: Iterable[str], report: Report, *, dry_run: bool = False
) -> None:
    """Remove each of *references*; one that is used elsewhere stays, with a warning."""
    store = LocalImageStore(layout.images)
    for reference in references:
        resource = f"Image {reference}"
        report(Progress(resource, Phase.WORKING, "Removing"))
        try:
            if dry_run:
                store.find_id(reference)
            else:
                image_rm(layout, reference, force=False)
        except NotFound:
            report(Progress(resource, Phase.WARNING, "No resource found to remove"))
        except Conflict:
            report(Progress(resource, Phase.WARNING, IN_USE))
        else:
            report(Progress(resource, Phase.DONE, "Removed"))
