"""`ps`: the containers of a project, from the state files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.ops.target import find_containers

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.target import Target


class PsOptions(NamedTuple):
    """*statuses* wins over *all*; *orphans* are containers of services that are not declared."""

    all: bool = False
    statuses: tuple[str, ...] = ()
    orphans: bool = True


def ps(layout: Layout, target: Target, options: PsOptions) -> tuple[ContainerState, ...]:
    """The containers, sorted by name; without `all` only those that run.

    Raises NotFound for unknown services.
    """
    wanted = options.statuses or (() if options.all else ALIVE)
    found = (
        container
        for container in find_containers(
            layout, target, oneoffs=options.all, orphans=options.orphans
        )
        if not wanted or container.status in wanted
    )
    return tuple(sorted(found, key=lambda container: container.name))
