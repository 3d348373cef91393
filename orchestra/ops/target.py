"""Which containers a command is about, found in the state files. Cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.plan.unknown import unknown_service
from orchestra.runtime.statefile import read_states

if TYPE_CHECKING:
    from collections.abc import Collection

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState


class Target(NamedTuple):
    """*services* are those that the user named, none: all; *declared* those of the compose file.

    *declared* is None when no compose file was read (`-p NAME`). A one-off container, which `run`
    made, may be named by its own name among *services*.
    """

    project: str
    services: tuple[str, ...] = ()
    declared: tuple[str, ...] | None = None


def find_containers(
    layout: Layout, target: Target, *, oneoffs: bool = False, orphans: bool = True
) -> tuple[ContainerState, ...]:
    """The containers that *target* means, by service and number.

    Without *orphans* those of services that the compose file does not declare are left out, unless
    they are named.
    Raises NotFound for a named service that is neither declared nor has a container.
    """
    states = read_states(layout, target.project)
    check_services(target, states)
    return tuple(
        state
        for state in states
        if is_meant(target, state, oneoffs=oneoffs) and (orphans or not is_orphan(state, target))
    )


def is_meant(target: Target, state: ContainerState, *, oneoffs: bool = False) -> bool:
    """Does *target* name the container *state* or its service, or all of them?"""
    if state.oneoff and state.name in target.services:
        return True
    is_named = not target.services or state.service in target.services
    return is_named and (oneoffs or not state.oneoff)


def is_orphan(state: ContainerState, target: Target) -> bool:
    """Does its service stand neither on the command line nor in the compose file?

    Nothing is an orphan when no compose file was read.
    """
    if target.declared is None or not {state.service, state.name}.isdisjoint(target.services):
        return False
    return state.service not in target.declared


def check_services(target: Target, states: Collection[ContainerState]) -> None:
    """Raises NotFound for a named service that is neither declared nor has a container."""
    if not target.services:
        return
    known = {state.service for state in states}
    known.update(target.declared or ())
    known.update(state.name for state in states if state.oneoff)
    for name in target.services:
        if name not in known:
            raise unknown_service(name, known)


def any_container(layout: Layout, target: Target, *, index: int = 0) -> ContainerState:
    """The container number *index* (0: the first) of the one service of *target*, running or not.

    Raises NotFound when there is none.
    """
    service = target.services[0]
    containers = find_containers(layout, target)
    for state in containers:
        if index in (0, state.number):
            return state
    numbers = ", ".join(str(state.number) for state in containers)
    raise NotFound(
        f'service "{service}" has no container' + (f" #{index}" if index else ""),
        fix=f"there are: {numbers}" if numbers else f"`orchestra create {service}` makes one",
    )


def one_container(layout: Layout, target: Target, *, index: int = 0) -> ContainerState:
    """The running container number *index* (0: the first) of the one service of *target*.

    Raises NotFound when there is none.
    """
    service = target.services[0]
    containers = find_containers(layout, target)
    for state in containers:
        if state.status in ALIVE and index in (0, state.number):
            return state
    if index:
        numbers = ", ".join(str(state.number) for state in containers if state.status in ALIVE)
        raise NotFound(
            f'service "{service}" has no running container #{index}',
            fix=f"running are: {numbers}" if numbers else f"`orchestra up -d {service}`",
        )
    raise NotFound(f'service "{service}" is not running', fix=f"`orchestra up -d {service}`")
