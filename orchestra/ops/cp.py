"""`cp`: files between here and the containers of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.ops.container_cp import STREAM, CopyOptions, copy_from, copy_to
from orchestra.ops.lock import project_lock
from orchestra.ops.target import find_containers
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from orchestra.model.state import ContainerState
    from orchestra.ops.copy_rules import Place
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


class CpRequest(NamedTuple):
    """One of *source* and *destination* is in a service; *number* 0 means what is usual.

    That is the first container to copy from, and all of them to copy to; *oneoffs* adds those that
    `run` made.
    """

    source: Place
    destination: Place
    number: int = 0
    oneoffs: bool = False
    options: CopyOptions = CopyOptions()


def cp(
    host: Host, target: Target, request: CpRequest, report: Report, *, dry_run: bool = False
) -> None:
    """Copy from or to the one service of *target*. Raises NotFound, Conflict, RuntimeFailure."""
    outward = bool(request.source.service)
    for state in _containers(host, target, request, outward=outward):
        inside, here = (
            (request.source.path, request.destination.path)
            if outward
            else (request.destination.path, request.source.path)
        )
        ends = (f"{state.name}:{inside}", here) if outward else (here, f"{state.name}:{inside}")
        detail = " to ".join(ends)
        report(Progress(state.name, Phase.WORKING, "Copying", detail))
        if not dry_run:
            _copy(host, state, request, report, outward=outward)
        report(Progress(state.name, Phase.DONE, "Copied", detail))


def _copy(
    host: Host, state: ContainerState, request: CpRequest, report: Report, *, outward: bool
) -> None:
    source, destination = request.source.path, request.destination.path
    if outward:
        copy_from(host, state, source, destination, request.options)
    elif state.status in ALIVE:
        copy_to(host, state, source, destination, request.options)
    else:  # it must not be started meanwhile: two overlays would write to one directory
        with project_lock(host.layout, state.project, command="cp", report=report):
            copy_to(host, state, source, destination, request.options)


def _containers(
    host: Host, target: Target, request: CpRequest, *, outward: bool
) -> tuple[ContainerState, ...]:
    """Raises NotFound when there is none."""
    service = target.services[0]
    found = find_containers(host.layout, target, oneoffs=request.oneoffs)
    if request.number:
        found = tuple(state for state in found if state.number == request.number)
    if not found:
        which = f" #{request.number}" if request.number else ""
        raise NotFound(
            f'no container{which} found for service "{service}"',
            fix=f"`orchestra create {service}` makes one",
        )
    streamed = request.source.path == STREAM  # which can be read once
    return found[:1] if outward or streamed else found
