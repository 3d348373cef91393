"""Builds that must be carried out: their requests, what they need of others, and their order."""

from __future__ import annotations

from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from orchestra.build.build import Job
from orchestra.errors import OrchestraError
from orchestra.ops.build_bases import Base, bases_of, bring_bases, familiar, is_here, stage_names
from orchestra.ops.buildrequest import request_for
from orchestra.ops.contexts import Contexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.build.request import BuildRequest
    from orchestra.build.source import Place
    from orchestra.ops.build import Watch
    from orchestra.ops.host import Host
    from orchestra.ops.recipe import Recipe


def build_recipes(host: Host, recipes: Mapping[str, Recipe], watch: Watch) -> dict[str, str]:
    """The ids of the images of *recipes* by their names, those at once that need nothing of others.

    Base images are pulled when they are missing. Raises BuildError and others, with the path of
    the service.
    """
    with Contexts(host.layout) as contexts:
        return _built(host, recipes, contexts, watch)


def _built(
    host: Host, recipes: Mapping[str, Recipe], contexts: Contexts, watch: Watch
) -> dict[str, str]:
    requests = {}
    wanted: dict[str, Base] = {}
    bases: dict[str, tuple[tuple[str, Place], ...]] = {}
    for name, recipe in recipes.items():
        with _about(recipe):
            requests[name] = request_for(recipe, contexts)
    ours = {image.familiar for request in requests.values() for image in request.names}
    for name, recipe in recipes.items():
        request, always = requests[name], recipe.extras.pull or recipe.spec.pull
        with _about(recipe):
            bases[name] = tuple(bases_of(request))
            for image, place in bases[name]:
                if familiar(image, place) not in ours and (always or not is_here(host, image)):
                    base = Base(place, always, stage_names(request), recipe.path)
                    wanted.setdefault(image, base)
    for request in requests.values():
        bring_bases(host, wanted, request.platform, watch)
        break  # all are for one platform
    needs = build_order(recipes, requests, bases)
    jobs = {name: Job(requests[name], needs[name], recipe.path) for name, recipe in recipes.items()}
    return host.build(jobs, watch) if jobs else {}


@contextmanager
def _about(recipe: Recipe) -> Iterator[None]:
    """An error of *recipe*: told with the service's path."""
    try:
        yield
    except OrchestraError as exc:
        if not exc.path:
            exc.at(*recipe.path)
        raise


def build_order(
    recipes: Mapping[str, Recipe],
    requests: Mapping[str, BuildRequest],
    bases: Mapping[str, tuple[tuple[str, Place], ...]],
) -> dict[str, tuple[str, ...]]:
    """Whose images each service builds on: as `service:NAME`, or by the image's name.

    The loader has refused circles of the first kind; one through names of images means that these
    are found somewhere else.
    """
    said = {
        name: tuple(each for each in recipe.needs if each in requests)
        for name, recipe in recipes.items()
    }
    makers = {
        image.familiar: maker for maker, request in requests.items() for image in request.names
    }

    def made_here(name: str) -> Iterator[str]:
        for image, place in bases[name]:
            maker = makers.get(familiar(image, place), name)
            if maker != name:
                yield maker

    needs = {name: tuple(dict.fromkeys((*said[name], *made_here(name)))) for name in requests}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return said
    return needs
