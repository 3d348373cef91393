"""Recipe: all that a compose file or a command line says of one build, before files are read.

From it comes a BuildRequest (`buildrequest`), or the memory of the same build (`build_again`):
which is why little is imported here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from orchestra import __version__
from orchestra.build.address import IMAGE_SCHEME
from orchestra.errors import NotFound
from orchestra.model import labels
from orchestra.model.build import Secret
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra.model.build import BuildSpec
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.model.source import TreePath

_SERVICE = "service:"
EPOCH = "SOURCE_DATE_EPOCH"
"""The only variable of our own environment that an image depends on."""


class Extras(NamedTuple):
    """What the command line adds to every build."""

    args: tuple[tuple[str, str], ...] = ()
    no_cache: bool = False
    pull: bool = False
    memory_bytes: int = 0
    ssh: tuple[tuple[str, str], ...] = ()


class Surroundings(NamedTuple):
    """Where a build is asked for: *cwd* shortens file names, *environ* has the ssh agent.

    Relative paths of caches count from *base*, or else from *cwd*.
    """

    cwd: str
    environ: Mapping[str, str]
    base: str = ""


class Recipe(NamedTuple):
    """*names* are the image's, beside the tags of *spec*.

    Of a service, *path* is its place in the compose file, and *needs* the services that it names as
    contexts.
    """

    spec: BuildSpec
    names: tuple[str, ...]
    secrets: Mapping[str, Secret]
    extras: Extras
    around: Surroundings
    path: TreePath = ()
    needs: tuple[str, ...] = ()

    @property
    def wants_new(self) -> bool:
        """Is something to be done even if it has been done before?"""
        spec, extras = self.spec, self.extras
        again = spec.no_cache or spec.no_cache_filter or extras.no_cache
        return bool(again or spec.pull or extras.pull)

    @property
    def asked(self) -> bytes:
        """What the build is remembered by: the same for all that give the same image.

        Empty for one that depends on more than this machine's directories and images.
        """
        spec = self.spec
        contexts = (spec.context, *(value for _, value in spec.additional_contexts))
        is_local = all(value.startswith(("/", IMAGE_SCHEME)) for value in contexts)
        if not is_local or spec.ssh or self.extras.ssh or spec.cache_to or spec.platforms:
            return b""
        spec = msgspec.structs.replace(spec, no_cache=False, no_cache_filter=(), pull=False)
        extras = self.extras._replace(no_cache=False, pull=False)
        epoch = os.environ.get(EPOCH, "")
        parts = (__version__, spec, self.names, sorted(self.secrets), extras, epoch)
        return msgspec.msgpack.encode(parts)


def service_recipe(
    project: Project, service: Service, extras: Extras, around: Surroundings
) -> Recipe:
    """The build of *service*. Raises NotFound."""
    build = service.build
    if build is None:
        raise AssertionError(f"{service.name} has no build")
    path, needs = ("services", service.name, "build"), services_named(build)
    images = {each.name: project.image_of(each) for each in project.services}
    for name in needs:
        if name not in images:
            raise NotFound(f"an additional context names no service: {_SERVICE}{name}").at(*path)
    own = ((labels.PROJECT, project.name), (labels.SERVICE, service.name))
    spec = msgspec.structs.replace(
        build,
        additional_contexts=tuple(
            (name, IMAGE_SCHEME + images[named] if (named := _service(value)) else value)
            for name, value in build.additional_contexts
        ),
        labels=(*build.labels, *own),
    )
    secrets = _secrets(project, build)
    around = around._replace(base=project.working_dir)
    return Recipe(spec, (project.image_of(service),), secrets, extras, around, path, needs)


def services_named(build: BuildSpec) -> tuple[str, ...]:
    """Whose images the build has as contexts."""
    return tuple(filter(None, (_service(value) for _, value in build.additional_contexts)))


def _service(context: str) -> str:
    """NAME of `service:NAME`; "" for other contexts."""
    return context.removeprefix(_SERVICE) if context.startswith(_SERVICE) else ""


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
        waiting += [known[name] for name in services_named(service.build) if name in known]
    return tuple(found.values())
