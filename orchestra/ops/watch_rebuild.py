"""`watch`, action rebuild: new images and containers, no images without a name left behind."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orchestra.build.events import StepPhase
from orchestra.image.store import LocalImageStore
from orchestra.image.sweep import remove_image
from orchestra.model import labels
from orchestra.ops.build import build_services
from orchestra.ops.building import Building
from orchestra.ops.image_use import used_images
from orchestra.ops.recipe import Extras, Surroundings
from orchestra.ops.up import UpOptions, up
from orchestra.plan.decide import Recreate
from orchestra.plan.desired import Dependencies, select_services

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.build.events import StepEvent
    from orchestra.layout import Layout
    from orchestra.model.project import Project
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report


def rebuild(
    host: Host, project: Project, services: tuple[str, ...], say: Callable[[str], None]
) -> None:
    """Build the images of *services*, not of what they depend on. Raises BuildError and others."""
    chosen = select_services(project, services, Dependencies.LEFT_OUT).services

    def watch(_: str, event: StepEvent) -> None:
        if event.phase is StepPhase.STARTED and event.title:
            say(event.title)
        elif event.phase is StepPhase.WARNING and event.text:
            say(event.text)

    builds = tuple(service for service in chosen if service.build is not None)
    around = Surroundings(project.working_dir, dict(project.environment))
    build_services(host, project, builds, Extras(), around, watch)


def recreate(host: Host, project: Project, services: tuple[str, ...], report: Report) -> None:
    """New containers for *services* from their present images, started. Raises what `up` raises."""
    options = UpOptions(
        services=services,
        dependencies=Dependencies.LEFT_OUT,
        recreate=Recreate.FORCE,
        ignore_orphans=True,
        building=Building.NEVER,
    )
    up(host, project, options, report)


def prune(layout: Layout, project: str) -> None:
    """Remove this project's images that have no name any more and that no container uses."""
    store = LocalImageStore(layout.images)
    used = partial(used_images, layout)
    in_use = used()
    for row in store.catalog.images():
        if row.id in in_use or store.catalog.names(row.id):
            continue
        image = store.readable(row.id)
        if image is not None and dict(image.config.labels).get(labels.PROJECT) == project:
            remove_image(store, row.id, used)
