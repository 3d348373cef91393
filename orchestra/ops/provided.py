"""What external programs have provided to a project's services: kept in `providers.json`.

So `down` and `stop` need no compose file, and `explain` and an `up` of other services need not ask
the programs again. Asking them is in `ops.providers`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.model.container import Frozen, Pairs
from orchestra.model.structs import msgspec
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.layout import Layout
    from orchestra.model.project import Project
    from orchestra.model.service import Service


class Provided(Frozen, frozen=True, kw_only=True):
    """One service: what its program is asked, and the variables that it has told."""

    type: str
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    prefixed: Pairs = ()  # setenv: SERVICE_ comes before the name
    raw: Pairs = ()  # rawsetenv


def remembered(layout: Layout, project: Project) -> Project:
    """*project* with the variables that were told last time; no program is run."""
    if not any(service.provider for service in project.services):
        return project
    known = read(layout, project.name)
    return project.with_services(_service(each, known) for each in project.services)


def _service(service: Service, known: Mapping[str, Provided]) -> Service:
    """*service* without containers if it is provided, else with the variables of what it needs."""
    if service.provider is not None:
        return msgspec.structs.replace(service, replicas=0)
    env = dict(service.environment)
    for edge in service.depends_on:
        provided = known.get(edge.service)
        if provided is not None:
            prefix = f"{edge.service.upper()}_"
            env.update((prefix + name, value) for name, value in provided.prefixed)
            env.update(provided.raw)
    return msgspec.structs.replace(service, environment=tuple(env.items()))


def read(layout: Layout, project: str) -> dict[str, Provided]:
    """By service, in the order in which they were provided; nothing for a damaged file."""
    try:
        with open(layout.providers_json(project), "rb") as file:
            return msgspec.json.decode(file.read(), type=dict[str, Provided])
    except (OSError, msgspec.MsgspecError):
        return {}


def write(layout: Layout, project: str, known: Mapping[str, Provided]) -> None:
    """Keep *known* in place of what was kept. Raises OSError."""
    path = layout.providers_json(project)
    if not known:
        os.unlink(path)
        return
    os.makedirs(layout.project(project), mode=0o700, exist_ok=True)
    write_atomically(path, msgspec.json.encode(known))
