"""The images that builds begin with and copy from; those that are missing are pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.address import IMAGE_SCHEME
from orchestra.build.events import StepEvent, StepPhase
from orchestra.build.graph import SCRATCH, Options, copied_from, plan_stages
from orchestra.build.source import error_at
from orchestra.config.wording import near_miss
from orchestra.errors import ConfigError, NotFound
from orchestra.image.host import HOST_IMAGE
from orchestra.image.reference import parse_reference
from orchestra.registry.base import PullEnded, PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.build.request import BuildRequest
    from orchestra.build.source import Place
    from orchestra.errors import BuildError, OrchestraError
    from orchestra.image.platform import Platform
    from orchestra.model.source import TreePath
    from orchestra.ops.build import Watch
    from orchestra.ops.host import Host

_ID = "sha256:"


class Base(NamedTuple):
    """An image to be pulled: for whom, and whether one that is here does not do.

    *stages* are the names that may have been meant.
    """

    place: Place
    always: bool
    stages: tuple[str, ...]
    path: TreePath = ()

    def wrong(self, image: str, error: OrchestraError) -> BuildError:
        """*error*, at the place in the Dockerfile."""
        meant = near_miss(image, self.stages)
        fix = f'did you mean the stage "{meant}"?' if meant else error.fix
        return error_at(self.place, f"{image}: {error.what}", fix).at(*self.path)


def is_here(host: Host, reference: str) -> bool:
    try:
        host.images().resolve(reference)
    except NotFound:
        return False
    return True


def bases_of(request: BuildRequest) -> Iterator[tuple[str, Place]]:
    """The images that the target's stages begin with or copy from. Raises BuildError."""
    names = tuple(name for name, _ in request.contexts)
    options = Options(request.args, str(request.platform), request.target, names)
    images = {
        name: value.removeprefix(IMAGE_SCHEME)
        for name, value in request.contexts
        if value.startswith(IMAGE_SCHEME)
    }
    for planned in plan_stages(request.dockerfile, options).stages:
        places = {"": planned.stage.start.place, **dict(reversed((*copied_from(planned.stage),)))}
        for name, origin in {"": planned.base, **planned.sources}.items():
            image = origin.image or images.get(origin.context, "")
            if image not in {"", SCRATCH, HOST_IMAGE} and not image.startswith(_ID):
                yield image, places[name]


def stage_names(request: BuildRequest) -> tuple[str, ...]:
    return tuple(filter(None, (stage.start.name for stage in request.dockerfile.stages)))


def familiar(image: str, place: Place) -> str:
    try:
        return parse_reference(image).familiar
    except ConfigError as exc:
        raise error_at(place, f"FROM: {exc.what}", exc.fix) from exc


def bring_bases(host: Host, wanted: Mapping[str, Base], platform: Platform, watch: Watch) -> None:
    """Pull the images *wanted*, each once. Raises BuildError with the place of who needs it."""
    requests = {}
    for image, base in wanted.items():
        familiar(image, base.place)
        requests[PullRequest(parse_reference(image), platform)] = image
    if not requests:
        return
    steps = {image: -number for number, image in enumerate(wanted, 1)}
    for image, step in steps.items():
        watch("", StepEvent(step, f"pulling {image}", StepPhase.STARTED))
    for event in host.pull(tuple(requests)):
        if not isinstance(event, PullEnded):
            continue
        image = requests[event.request]
        base = wanted[image]
        if event.error is not None and (base.always or not is_here(host, image)):
            raise base.wrong(image, event.error)
        watch("", StepEvent(steps[image], f"pulling {image}", StepPhase.DONE))
