"""`build --check`: what is to be said of Dockerfiles that would build."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound
from orchestra.ops.buildrequest import request_for
from orchestra.ops.recipe import service_recipe
from orchestra.plan.desired import Dependencies, select_services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.build.lint.base import Finding, Subject
    from orchestra.build.request import BuildRequest
    from orchestra.model.project import Project
    from orchestra.ops.build import BuildOptions
    from orchestra.ops.contexts import Contexts
    from orchestra.ops.host import Host
    from orchestra.ops.recipe import Surroundings


def checked_services(
    project: Project, options: BuildOptions, around: Surroundings, contexts: Contexts
) -> tuple[BuildRequest, ...]:
    """The builds of the services, for looking at their Dockerfiles; one for each Dockerfile."""
    chosen = select_services(project, options.services, Dependencies.LEFT_OUT)
    requests = [
        request_for(service_recipe(project, service, options.extras, around), contexts)
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
