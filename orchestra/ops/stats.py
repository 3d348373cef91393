"""`stats`: what the containers of a project use, again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.ops.container_stats import Sampler
from orchestra.ops.target import ALIVE, find_containers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.state import ContainerState
    from orchestra.ops.container_stats import Stats
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target


def stats(
    host: Host, target: Target, *, stopped: bool = False, interval_s: float = 1.0
) -> Iterator[tuple[Stats, ...]]:
    """The use of the containers of *target* every *interval_s*; *stopped* ones only if asked for.

    Ends when none is left. Raises NotFound for unknown services.
    """
    sampler = Sampler(host)
    states = _states(host, target, stopped=stopped)
    sampler.look(states)
    while states:
        time.sleep(interval_s)
        states = _states(host, target, stopped=stopped)
        if states:
            yield sampler.look(states)


def _states(host: Host, target: Target, *, stopped: bool) -> tuple[ContainerState, ...]:
    found = find_containers(host.layout, target, oneoffs=True)
    return tuple(state for state in found if stopped or state.status in ALIVE)
