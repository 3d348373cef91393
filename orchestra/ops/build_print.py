"""`build --print`: what would be built, in the form of a buildx bake file, as Docker Compose does.

Docker's bake file reference. Contents of secrets are not in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model import labels
from orchestra.plan.desired import Dependencies, select_services

if TYPE_CHECKING:
    from orchestra.model.build import BuildSpec, SecretSource
    from orchestra.model.container import Ulimit
    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.ops.build import BuildOptions
    from orchestra.ops.recipe import Extras

_SERVICE = "service:"


def bake_file(project: Project, options: BuildOptions) -> dict[str, object]:
    """A target for each service that has a `build`, and the group of those that were asked for."""
    how = Dependencies.INCLUDED if options.include_dependencies else Dependencies.LEFT_OUT
    chosen = select_services(project, options.services, how)
    names = _target_names(project)
    return {
        "group": {
            "default": {
                "targets": [
                    names[service.name] for service in chosen.services if service.build is not None
                ]
            }
        },
        "target": {
            names[service.name]: _target(project, service, service.build, options.extras, names)
            for service in project.services
            if service.build is not None
        },
    }


def _target_names(project: Project) -> dict[str, str]:
    """Bake allows no dots; what would be the same then gets underscores."""
    names: dict[str, str] = {}
    for service in sorted(each.name for each in project.services):
        name = service.replace(".", "_")
        while name in names.values():
            name += "_"
        names[service] = name
    return names


def _target(
    project: Project, service: Service, spec: BuildSpec, extras: Extras, names: dict[str, str]
) -> dict[str, object]:
    own = {labels.PROJECT: project.name, labels.SERVICE: service.name}
    args = {**dict(spec.args), **dict(extras.args)}
    target: dict[str, object] = {
        "context": spec.context,
        "contexts": {name: _context(value, names) for name, value in spec.additional_contexts},
        "dockerfile": "" if spec.dockerfile_inline else spec.dockerfile or "Dockerfile",
        "dockerfile-inline": _escaped(spec.dockerfile_inline),
        "args": {name: _escaped(value) for name, value in args.items()},
        "labels": {**dict(spec.labels), **own},
        "tags": [*spec.tags, project.image_of(service)],
        "cache-from": list(spec.cache_from),
        "cache-to": list(spec.cache_to),
        "target": spec.target,
        "secret": [_secret(project, each) for each in spec.secrets],
        "ssh": [f"{name}={path}" if path else name for name, path in (*spec.ssh, *extras.ssh)],
        "platforms": list(spec.platforms),
        "pull": spec.pull or extras.pull,
        "no-cache": spec.no_cache or extras.no_cache,
        "network": spec.network,
        "no-cache-filter": list(spec.no_cache_filter),
        "shm-size": str(spec.shm_bytes) if spec.shm_bytes else "",
        "ulimits": [_ulimit(each) for each in spec.ulimits],
        "entitlements": list(spec.entitlements),
        "extra-hosts": dict(spec.extra_hosts),
        "output": ["type=docker"],
    }
    return {key: value for key, value in target.items() if value}


def _escaped(text: str) -> str:
    """Bake would take "${" for a variable of its own."""
    return text.replace("${", "$${")


def _context(value: str, names: dict[str, str]) -> str:
    service = value.removeprefix(_SERVICE)
    return f"target:{names.get(service, service)}" if value.startswith(_SERVICE) else value


def _secret(project: Project, use: SecretSource) -> str:
    declared = project.secret(use.source)
    name = use.target or use.source
    if declared.file:
        return f"id={name},type=file,src={declared.file}"
    return f"id={name},type=env,env={declared.environment or use.source}"


def _ulimit(limit: Ulimit) -> str:
    both = f"{limit.soft}:{limit.hard}" if limit.soft != limit.hard else str(limit.soft)
    return f"{limit.name}={both}"
