"""`stats`: what containers use, again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE
from orchestra.ops.container_find import all_states, find_container
from orchestra.ops.container_stats import Sampler
from orchestra.ops.target import find_containers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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

    def look() -> tuple[ContainerState, ...]:
        found = find_containers(host.layout, target, oneoffs=True)
        return tuple(state for state in found if stopped or state.status in ALIVE)

    return _sampled(host, look, interval_s)


def container_stats(
    host: Host, names: Sequence[str], *, stopped: bool = False, interval_s: float = 1.0
) -> Iterator[tuple[Stats, ...]]:
    """The same of the containers *names*, of whatever projects; none: of all that run.

    Raises NotFound.
    """

    def look() -> tuple[ContainerState, ...]:
        if names:
            return tuple(find_container(host.layout, name) for name in names)
        found = all_states(host.layout)
        return tuple(state for state in found if stopped or state.status in ALIVE)

    return _sampled(host, look, interval_s)


def _sampled(
    host: Host, look: Callable[[], tuple[ContainerState, ...]], interval_s: float
) -> Iterator[tuple[Stats, ...]]:
    sampler = Sampler(host)
    states = look()
    sampler.look(states)
    while states:
        time.sleep(interval_s)
        states = look()
        if states:
            yield sampler.look(states)
