"""The names that a word on a command line can be: of services, images, volumes and so on.

For the shells' completion, so what costs a library is imported by the kind that needs it: services
of a project that is remembered, containers, images, volumes and networks need none.
"""

from __future__ import annotations

import os

from orchestra.cli import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.cli.context import Context


def known_names(kind: str, context: Context) -> Iterable[str]:
    """All names of the *kind*, of `cli.places`. Raises OrchestraError."""
    return _FINDERS[kind](context)


def _services(context: Context) -> Iterable[str]:
    from orchestra.cli.located import locate

    return locate(context).services or ()


def _scales(context: Context) -> Iterable[str]:
    return (f"{name}=" for name in _services(context))


def _service_paths(context: Context) -> Iterable[str]:
    return (*(f"{name}:" for name in _services(context)), places.FILES)


def _profiles(context: Context) -> Iterable[str]:
    from orchestra.cli.located import load_request
    from orchestra.config.pipeline import load

    project = load(load_request(context)).project
    services = (*project.services, *project.disabled_services)
    return sorted({profile for service in services for profile in service.profiles})


def _projects(context: Context) -> Iterable[str]:
    from orchestra.layout import NO_PROJECT
    from orchestra.runtime.statefile import projects

    return [name for name in projects(context.host().layout) if name != NO_PROJECT]


def _images(context: Context) -> Iterable[str]:
    from orchestra.image.catalog import catalog_below

    names = catalog_below(context.host().layout.images).names()
    return sorted(name.reference.familiar for name in names if name.tag)


def _containers(context: Context) -> Iterable[str]:
    from orchestra.runtime.statefile import projects, read_states

    layout = context.host().layout
    return sorted(state.name for name in projects(layout) for state in read_states(layout, name))


def _container_paths(context: Context) -> Iterable[str]:
    return (*(f"{name}:" for name in _containers(context)), places.FILES)


def _volumes(context: Context) -> Iterable[str]:
    layout = context.host().layout
    try:
        found = os.listdir(layout.volumes)
    except OSError:
        return ()
    return sorted(name for name in found if os.path.isdir(layout.volume_data(name)))


def _mounts(context: Context) -> Iterable[str]:
    return (*(f"{name}:" for name in _volumes(context)), places.DIRECTORIES)


def _networks(context: Context) -> Iterable[str]:
    from orchestra.network.registry import network_names

    return network_names(context.host().layout.registry_db)


def _variables(context: Context) -> Iterable[str]:
    return sorted(context.environ)


def _signals(context: Context) -> Iterable[str]:  # noqa: ARG001 (every finder has this signature)
    import signal

    return (name.removeprefix("SIG") for name in signal.Signals.__members__)


_FINDERS = {
    places.SERVICES: _services,
    places.SCALES: _scales,
    places.SERVICE_PATHS: _service_paths,
    places.PROFILES: _profiles,
    places.PROJECTS: _projects,
    places.IMAGES: _images,
    places.CONTAINERS: _containers,
    places.CONTAINER_PATHS: _container_paths,
    places.VOLUMES: _volumes,
    places.MOUNTS: _mounts,
    places.NETWORKS: _networks,
    places.VARIABLES: _variables,
    places.SIGNALS: _signals,
}
