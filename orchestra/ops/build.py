"""`build` and `image build`: images from Dockerfiles."""

from __future__ import annotations

from contextlib import suppress
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.events import StepEvent, StepPhase
from orchestra.build.graph import SCRATCH, Options, plan_stages
from orchestra.build.lint.base import Finding, Subject
from orchestra.build.lint.table import check, policy_of
from orchestra.build.request import Secret
from orchestra.build.source import error_at
from orchestra.errors import ConfigError, NotFound, OrchestraError
from orchestra.image.host import HOST_IMAGE
from orchestra.image.reference import parse_reference
from orchestra.model import labels
from orchestra.ops.buildrequest import Extras, Surroundings, request_for
from orchestra.plan.container import image_reference
from orchestra.plan.desired import Dependencies, select_services
from orchestra.registry.base import PullEnded, PullRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestra.build.request import BuildRequest
    from orchestra.build.source import Place
    from orchestra.model.build import BuildSpec
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.ops.host import Host

    Watch = Callable[[str, StepEvent], None]
    """Told the service's name with each event."""

_SERVICE = "service:"


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
    ordered = in_order(services)
    return tuple(
        build_service(host, project, service, options.extras, around, watch) for service in ordered
    )


def build_image(host: Host, request: BuildRequest, *, pull: bool, watch: Watch) -> str:
    """The id of the image of *request*; its base images are pulled when they are missing."""
    _bring_bases(host, request, always=pull, watch=watch)
    return host.build(request, lambda event: watch("", event))


def build_service(
    host: Host,
    project: Project,
    service: Service,
    extras: Extras,
    around: Surroundings,
    watch: Watch,
) -> Built:
    """The image of *service*. Raises BuildError and others, with the service's path."""
    reference = image_reference(project, service)
    try:
        request = service_request(project, service, extras, around)
        pull = extras.pull or (service.build is not None and service.build.pull)
        _bring_bases(host, request, always=pull, watch=watch)
        image = host.build(request, lambda event: watch(service.name, event))
    except OrchestraError as exc:
        if not exc.path:
            exc.at("services", service.name, "build")
        raise
    return Built(service.name, reference, image)


def service_request(
    project: Project, service: Service, extras: Extras, around: Surroundings
) -> BuildRequest:
    """The build of *service*. Raises BuildError, NotFound, Unsupported, ConfigError."""
    if service.build is None:
        raise AssertionError(f"{service.name} has no build")
    own = ((labels.PROJECT, project.name), (labels.SERVICE, service.name))
    spec = msgspec.structs.replace(
        service.build,
        additional_contexts=_contexts(project, service.build),
        labels=(*service.build.labels, *own),
    )
    secrets = _secrets(project, service.build)
    around = around._replace(base=project.working_dir)
    return request_for(spec, (image_reference(project, service),), secrets, extras, around)


def checked_services(
    project: Project, options: BuildOptions, around: Surroundings
) -> tuple[BuildRequest, ...]:
    """The builds of the services, for looking at their Dockerfiles; one for each Dockerfile."""
    chosen = select_services(project, options.services, Dependencies.LEFT_OUT)
    requests = [
        service_request(project, service, options.extras, around)
        for service in chosen.services
        if service.build is not None
    ]
    by_file = {(each.dockerfile.lines, each.context): each for each in requests}
    return tuple(by_file.values())


def lint(request: BuildRequest, host: Host) -> tuple[Finding, ...]:
    """What the lint rules say of the Dockerfile. Raises BuildError for a bad `check` directive."""
    return check(_subject(request, host))


def lint_is_error(request: BuildRequest, host: Host) -> bool:
    """Does the Dockerfile say `# check=error=true`?"""
    return policy_of(_subject(request, host)).is_error


def _subject(request: BuildRequest, host: Host) -> Subject:
    images = host.images()

    def image_env(name: str) -> Mapping[str, str] | None:
        with suppress(NotFound, ConfigError):
            return dict(images.resolve(name).env)
        return None

    return Subject(
        request.dockerfile, request.args, str(request.platform), request.ignore, image_env
    )


# -- what one build needs of others ---------------------------------------------------------------
def _contexts(project: Project, spec: BuildSpec) -> tuple[tuple[str, str], ...]:
    """With `service:NAME` spelled as that service's image."""
    images = {s.name: image_reference(project, s) for s in project.services}
    found = []
    for name, value in spec.additional_contexts:
        if value.startswith(_SERVICE):
            other = value.removeprefix(_SERVICE)
            if other not in images:
                raise NotFound(f'the additional context "{name}" names no service: {value}')
            found.append((name, f"docker-image://{images[other]}"))
        else:
            found.append((name, value))
    return tuple(found)


def _secrets(project: Project, spec: BuildSpec) -> dict[str, Secret]:
    found = {}
    for use in spec.secrets:
        declared = project.secret(use.source)
        found[use.target or use.source] = Secret(declared.file, declared.content)
    return found


def in_order(services: Iterable[Service]) -> list[Service]:
    """Each service after those whose images it builds on; the loader has refused circles."""
    chosen = {service.name: service for service in services}
    needs = {
        name: [
            value.removeprefix(_SERVICE)
            for _, value in (service.build.additional_contexts if service.build else ())
            if value.startswith(_SERVICE) and value.removeprefix(_SERVICE) in chosen
        ]
        for name, service in chosen.items()
    }
    return [chosen[name] for name in TopologicalSorter(needs).static_order()]


# -- base images ----------------------------------------------------------------------------------
def is_here(host: Host, reference: str) -> bool:
    try:
        host.images().resolve(reference)
    except NotFound:
        return False
    return True


def _bring_bases(host: Host, request: BuildRequest, *, always: bool, watch: Watch) -> None:
    """Pull the images that the stages need and that are not here, or (*always*) all of them."""
    names = tuple(name for name, _ in request.contexts)
    options = Options(request.args, str(request.platform), request.target, names)
    graph = plan_stages(request.dockerfile, options)
    wanted: dict[str, Place] = {}
    for planned in graph.stages:
        for origin in (planned.base, *planned.sources.values()):
            image = origin.image
            if image in {"", SCRATCH, HOST_IMAGE, *wanted}:
                continue
            if always or not is_here(host, image):
                wanted[image] = planned.stage.start.place
    requests = {}
    for image, place in wanted.items():
        try:
            requests[PullRequest(parse_reference(image), request.platform)] = (image, place)
        except ConfigError as exc:
            raise error_at(place, f"FROM: {exc.what}", exc.fix) from exc
    if not requests:
        return
    for image, _ in requests.values():
        watch("", StepEvent(0, f"pulling {image}", StepPhase.STARTED))
    for event in host.pull(tuple(requests)):
        if isinstance(event, PullEnded):
            image, place = requests[event.request]
            if event.error is not None and (always or not is_here(host, image)):
                raise error_at(place, f"FROM: {event.error.what}", event.error.fix)
            watch("", StepEvent(0, f"pulling {image}", StepPhase.DONE))
