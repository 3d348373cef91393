"""`build` and `image build`: images from Dockerfiles.

A build that has been done before, and whose result nothing could have changed since, is only told
again (`build.finished`): so neither the reader of Dockerfiles nor what carries out steps is
imported before it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.finished import events_again, name_again, recall
from orchestra.ops.recipe import Extras, service_recipe, with_bases
from orchestra.plan.desired import Dependencies, select_services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.build.events import StepEvent
    from orchestra.layout import Layout
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.ops.host import Host
    from orchestra.ops.recipe import Recipe, Surroundings

    Watch = Callable[[str, StepEvent], None]
    """Told the service's name with each event."""


class BuildOptions(NamedTuple):
    """What `build` was asked; no services: all that have a `build`."""

    services: tuple[str, ...] = ()
    include_dependencies: bool = False
    extras: Extras = Extras()


class Built(NamedTuple):
    service: str
    reference: str
    image: str


def build(
    host: Host, project: Project, options: BuildOptions, around: Surroundings, watch: Watch
) -> tuple[Built, ...]:
    """Build the images of the services, each after those it needs. Raises BuildError and others."""
    how = Dependencies.INCLUDED if options.include_dependencies else Dependencies.LEFT_OUT
    chosen = select_services(project, options.services, how)
    services = [service for service in chosen.services if service.build is not None]
    wanted = with_bases(project, services)
    return build_services(host, project, wanted, options.extras, around, watch)


def build_services(
    host: Host,
    project: Project,
    services: tuple[Service, ...],
    extras: Extras,
    around: Surroundings,
    watch: Watch,
) -> tuple[Built, ...]:
    """The images of *services*, those at once that do not need each other.

    Raises BuildError and others, with the service's path.
    """
    recipes = {
        service.name: service_recipe(project, service, extras, around) for service in services
    }
    images = _images(host, recipes, watch)
    return tuple(
        Built(name, project.image_of(project.service(name)), images[name]) for name in recipes
    )


def build_image(host: Host, recipe: Recipe, watch: Watch) -> str:
    """The id of the image of *recipe*. Raises BuildError and others."""
    return _images(host, {"": recipe}, watch)[""]


def _images(host: Host, recipes: Mapping[str, Recipe], watch: Watch) -> dict[str, str]:
    again = build_again(host.layout, recipes, watch)
    if again is not None:
        return again
    from orchestra.ops.build_jobs import build_recipes

    return build_recipes(host, recipes, watch)


def build_again(
    layout: Layout, recipes: Mapping[str, Recipe], watch: Watch
) -> dict[str, str] | None:
    """The ids of the images of *recipes* by their names; None if one of them must be built."""
    found = {}
    for name, recipe in recipes.items():
        asked = recipe.asked
        finished = None if recipe.wants_new or not asked else recall(layout, asked)
        if finished is None:
            return None
        found[name] = finished
    if not all(name_again(layout, finished) for finished in found.values()):
        return None
    for name, finished in found.items():
        for event in events_again(finished):
            watch(name, event)
    return {name: finished.image for name, finished in found.items()}
