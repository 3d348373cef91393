"""`build` and `image build`: images from Dockerfiles."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.build import Job
from orchestra.build.events import StepEvent, StepPhase
from orchestra.build.graph import SCRATCH, Options, copied_from, plan_stages
from orchestra.build.request import Secret
from orchestra.build.source import error_at
from orchestra.config.wording import near_miss
from orchestra.errors import ConfigError, NotFound, OrchestraError
from orchestra.image.host import HOST_IMAGE
from orchestra.image.reference import parse_reference
from orchestra.model import labels
from orchestra.ops.buildrequest import Extras, Surroundings, request_for
from orchestra.plan.container import image_reference
from orchestra.plan.desired import Dependencies, select_services
from orchestra.registry.base import PullEnded, PullRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orchestra.build.lint.base import Finding, Subject
    from orchestra.build.request import BuildRequest
    from orchestra.build.source import Place
    from orchestra.errors import BuildError
    from orchestra.image.platform import Platform
    from orchestra.model.build import BuildSpec
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.model.source import TreePath
    from orchestra.ops.host import Host

    Watch = Callable[[str, StepEvent], None]
    """Told the service's name with each event."""

_SERVICE = "service:"
_IMAGE = "docker-image://"
_ID = "sha256:"


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


def build_image(host: Host, request: BuildRequest, *, pull: bool, watch: Watch) -> str:
    """The id of the image of *request*; its base images are pulled when they are missing."""
    wanted = {}
    for image, place in bases_of(request):
        if pull or not is_here(host, image):
            wanted[image] = Base(place, pull, stage_names(request))
    bring_bases(host, wanted, request.platform, watch)
    return host.build({"": Job(request)}, watch)[""]


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
    requests = {}
    wanted: dict[str, Base] = {}
    bases: dict[str, tuple[tuple[str, Place], ...]] = {}
    platform = None
    for service in services:
        with _about(service):
            requests[service.name] = service_request(project, service, extras, around)
    ours = {name.familiar for request in requests.values() for name in request.names}
    for service in services:
        request = requests[service.name]
        platform = request.platform
        always = extras.pull or (service.build is not None and service.build.pull)
        with _about(service):
            bases[service.name] = tuple(bases_of(request))
            for image, place in bases[service.name]:
                if _familiar(image, place) not in ours and (always or not is_here(host, image)):
                    base = Base(place, always, stage_names(request), _path(service))
                    wanted.setdefault(image, base)
    if platform is not None:
        bring_bases(host, wanted, platform, watch)
    needs = build_order(services, requests, bases)
    jobs = {
        service.name: Job(requests[service.name], needs[service.name], _path(service))
        for service in services
    }
    images = host.build(jobs, watch) if jobs else {}
    return tuple(
        Built(name, image_reference(project, project.service(name)), images[name]) for name in jobs
    )


def _path(service: Service) -> tuple[str, ...]:
    return ("services", service.name, "build")


@contextmanager
def _about(service: Service) -> Iterator[None]:
    """An error of *service*: told with its path."""
    try:
        yield
    except OrchestraError as exc:
        if not exc.path:
            exc.at(*_path(service))
        raise


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
    from orchestra.build.lint.table import check

    return check(_subject(request, host))


def lint_is_error(request: BuildRequest, host: Host) -> bool:
    """Does the Dockerfile say `# check=error=true`?"""
    from orchestra.build.lint.table import policy_of

    return policy_of(_subject(request, host)).is_error


def _subject(request: BuildRequest, host: Host) -> Subject:
    from orchestra.build.lint.base import Subject

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


def with_bases(project: Project, services: Iterable[Service]) -> tuple[Service, ...]:
    """*services* and those whose images they build on, by `service:NAME`."""
    known = {service.name: service for service in project.services}
    found: dict[str, Service] = {}
    waiting = list(services)
    while waiting:
        service = waiting.pop(0)
        if service.name in found or service.build is None:
            continue
        found[service.name] = service
        waiting += [
            known[value.removeprefix(_SERVICE)]
            for _, value in service.build.additional_contexts
            if value.startswith(_SERVICE) and value.removeprefix(_SERVICE) in known
        ]
    return tuple(found.values())


def build_order(
    services: Iterable[Service],
    requests: Mapping[str, BuildRequest],
    bases: Mapping[str, tuple[tuple[str, Place], ...]],
) -> dict[str, tuple[str, ...]]:
    """Whose images each service builds on: as `service:NAME`, or by the image's name.

    The loader has refused circles of the first kind; one through names of images means that these
    are found somewhere else.
    """
    said = {
        service.name: tuple(
            value.removeprefix(_SERVICE)
            for _, value in (service.build.additional_contexts if service.build else ())
            if value.startswith(_SERVICE) and value.removeprefix(_SERVICE) in requests
        )
        for service in services
    }
    makers = {
        name.familiar: service for service, request in requests.items() for name in request.names
    }
    needs = {
        service: tuple(
            dict.fromkeys(
                (
                    *said[service],
                    *(
                        makers[name]
                        for image, place in bases[service]
                        if (name := _familiar(image, place)) in makers and makers[name] != service
                    ),
                )
            )
        )
        for service in requests
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return said
    return needs


# -- base images ----------------------------------------------------------------------------------
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
        name: value.removeprefix(_IMAGE)
        for name, value in request.contexts
        if value.startswith(_IMAGE)
    }
    for planned in plan_stages(request.dockerfile, options).stages:
        places = {"": planned.stage.start.place, **dict(reversed((*copied_from(planned.stage),)))}
        for name, origin in {"": planned.base, **planned.sources}.items():
            image = origin.image or images.get(origin.context, "")
            if image not in {"", SCRATCH, HOST_IMAGE} and not image.startswith(_ID):
                yield image, places[name]


def stage_names(request: BuildRequest) -> tuple[str, ...]:
    return tuple(filter(None, (stage.start.name for stage in request.dockerfile.stages)))


def _familiar(image: str, place: Place) -> str:
    try:
        return parse_reference(image).familiar
    except ConfigError as exc:
        raise error_at(place, f"FROM: {exc.what}", exc.fix) from exc


def bring_bases(host: Host, wanted: Mapping[str, Base], platform: Platform, watch: Watch) -> None:
    """Pull the images *wanted*, each once. Raises BuildError with the place of who needs it."""
    requests = {}
    for image, base in wanted.items():
        _familiar(image, base.place)
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
