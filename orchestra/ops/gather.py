"""What a project should be, with the host's answers: images resolved, mounted files hashed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.hashing import service_hash
from orchestra.model.structs import msgspec
from orchestra.plan.container import linked_names
from orchestra.plan.desired import Desired, all_service_names, select_services
from orchestra.plan.mounts import mounted_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.image.base import ImageStore
    from orchestra.model.image import ImageConfig
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.plan.desired import Dependencies


_PROFILES = ("unconfined", "builtin")
"""Seccomp profiles that are no files."""


class ImageMissing(NotFound):
    """An image that a service needs is not here."""

    exit_code = 18  # as Docker Compose for a pull that failed


def gather(
    project: Project, services: Iterable[str], dependencies: Dependencies, images: ImageStore
) -> Desired:
    """The desired state of *services* (none: all) of *project*.

    Raises NotFound for unknown services and ImageMissing for images, naming the service.
    """
    chosen = select_services(project, services, dependencies)
    linked = linked_names((*project.services, *project.disabled_services))
    return Desired(
        project=with_seccomp_profiles(chosen),
        images=_resolve_all(chosen, images),
        hashes={s.name: hash_of(chosen, s, linked.get(s.name, ())) for s in chosen.services},
        known=all_service_names(project),
        linked=linked,
        other_images={
            reference: resolve(service, reference, images, *attribute)
            for service in chosen.services
            for reference, attribute in _other_references(service)
        },
    )


def with_seccomp_profiles(project: Project) -> Project:
    """*project* with the text of seccomp profiles in place of their file names.

    The engine may run elsewhere and later. Raises NotFound for a file that cannot be read.
    """
    if not any(service.security.options for service in project.services):
        return project
    return project.with_services(
        msgspec.structs.replace(
            service,
            security=msgspec.structs.replace(
                service.security,
                options=tuple(
                    _inlined(project, service, option) for option in service.security.options
                ),
            ),
        )
        for service in project.services
    )


def _inlined(project: Project, service: Service, option: str) -> str:
    """*option*, or `seccomp={…}` for `seccomp=FILE`, relative to the project's directory."""
    name, separator, value = option.partition("=" if "=" in option else ":")
    if name != "seccomp" or not separator or value in _PROFILES or value.startswith("{"):
        return option
    path = os.path.join(project.working_dir, value)
    try:
        with open(path, encoding="utf-8") as stream:
            return f"seccomp={stream.read().strip()}"
    except OSError as exc:
        raise NotFound(
            f'service "{service.name}": seccomp profile {path}: {exc.strerror}',
            fix="a relative name counts from the project's directory",
        ).at("services", service.name, "security_opt") from exc


def _resolve_all(project: Project, images: ImageStore) -> dict[str, ImageConfig]:
    by_reference: dict[str, ImageConfig] = {}
    containers = [service for service in project.services if service.provider is None]
    for service in containers:
        reference = project.image_of(service)
        if reference not in by_reference:
            by_reference[reference] = resolve(service, reference, images)
    return {s.name: by_reference[project.image_of(s)] for s in containers}


def _other_references(service: Service) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The images of *service* that it does not run itself, with the attribute that names each."""
    for step in service.pre_start:
        if step.image:
            yield step.image, ("pre_start",)
    for reference in mounted_images(service):
        yield reference, ("volumes",)


def resolve(service: Service, reference: str, images: ImageStore, *attribute: str) -> ImageConfig:
    """The image that *service* names in *attribute*, its own by default. Raises ImageMissing."""
    try:
        return images.resolve(reference)
    except NotFound as exc:
        attribute = attribute or (("image",) if service.image else ("build",))
        fix = f"`orchestra build {service.name}` builds it" if service.build else exc.fix
        raise ImageMissing(f'service "{service.name}": {exc.what}', where=exc.where, fix=fix).at(
            "services", service.name, *attribute
        ) from exc


def hash_of(project: Project, service: Service, linked: tuple[str, ...] = ()) -> str:
    """The config hash of *service*, with the content of its configs and secrets.

    *linked* are the names that other services' `links` give it.

    A file that cannot be read counts as empty: the launch reports it with its path.
    """
    names = (name.encode() for name in linked)
    return service_hash(service, (*_contents(project, service), *names))


def _contents(project: Project, service: Service) -> Iterator[bytes]:
    for declared in (
        *(project.config(use.source) for use in service.configs),
        *(project.secret(use.source) for use in service.secrets),
    ):
        if not declared.file:
            yield declared.content.encode()
            continue
        try:
            with open(declared.file, "rb") as stream:
                yield stream.read()
        except OSError:
            yield b""
