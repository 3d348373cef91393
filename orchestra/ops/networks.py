"""The networks of this machine: found, made, removed. What `network …` does without containers."""

from __future__ import annotations

import os
import re
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, Conflict, NotFound
from orchestra.model.hashing import network_id
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.network.standalone import open_networks
from orchestra.ops.container_find import all_states
from orchestra.ops.lock import project_lock
from orchestra.ops.object_filters import name_passes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from orchestra.layout import Layout
    from orchestra.model.network import NetworkSpec, NetworkState
    from orchestra.model.state import EndpointState
    from orchestra.ops.object_filters import ObjectFilters

LIST_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
PRUNE_FILTERS = ("label", "label!", "until")
PREDEFINED = ("bridge", "default", "host", "none")
"""Docker's own networks, which nobody makes."""

DEFAULT_NETWORK = "bridge"
"""That of containers which name none, made for the first of them.

`prune` leaves it, as Docker's does; `rm` takes it when no container has it, since the next makes it
again.
"""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")


class Member(NamedTuple):
    """A running container on a network."""

    id: str
    name: str
    endpoint: EndpointState


def all_networks(layout: Layout) -> tuple[NetworkState, ...]:
    """Every network, by name."""
    if not os.path.exists(layout.registry_db):
        return ()
    with open_networks(layout) as networks:
        return networks.all()


def list_networks(layout: Layout, filters: ObjectFilters) -> tuple[NetworkState, ...]:
    """The networks that pass, by name; a *dangling* one is used by no container."""
    dangling = filters.truth("dangling")
    used = _used_names(layout) if dangling is not None else frozenset()
    return tuple(
        network
        for network in all_networks(layout)
        if filters.any_passes("name", name_passes(network.spec.name))
        and filters.any_passes("id", network_id(network).startswith)
        and filters.any_passes("driver", (network.spec.driver or "bridge").__eq__)
        and filters.any_passes("scope", "local".__eq__)
        and filters.any_passes("type", _kind(network).__eq__)
        and filters.labels_pass(dict(network.spec.labels))
        and dangling in (None, network.spec.name not in used)
    )


def _kind(network: NetworkState) -> str:
    return "builtin" if network.spec.name == DEFAULT_NETWORK else "custom"


def find_network(layout: Layout, asked: str) -> NetworkState:
    """By name, id or the unambiguous beginning of an id. Raises NotFound, Conflict."""
    known = all_networks(layout)
    for network in known:
        if asked in (network.spec.name, network_id(network)):
            return network
    found = [network for network in known if asked and network_id(network).startswith(asked)]
    if len(found) > 1:
        raise Conflict(f"several networks begin with {asked}", fix="give more of the id")
    if not found:
        raise NotFound(f"network {asked} not found", fix="`orchestra network ls` lists them")
    return found[0]


def members(layout: Layout, network: str) -> tuple[Member, ...]:
    """The running containers on *network*, by id."""
    found = (
        Member(state.id, state.name, endpoint)
        for state in all_states(layout)
        if state.status in ALIVE
        for endpoint in state.endpoints
        if endpoint.network == network
    )
    return tuple(sorted(found))


def create_network(layout: Layout, spec: NetworkSpec) -> NetworkState:
    """Make a network of no project. Raises Conflict when there is one of that name or subnet."""
    if spec.name in PREDEFINED:
        raise Conflict(
            f"operation is not permitted on predefined {spec.name} network",
            fix="choose another name",
        )
    if not _NAME.fullmatch(spec.name):
        raise ConfigError(
            f'"{spec.name}" is not a network name',
            fix="use letters, digits, and _ . - after the first character",
        )
    with open_networks(layout) as networks:
        if any(network.spec.name == spec.name for network in networks.all()):
            raise Conflict(
                f"network with name {spec.name} already exists",
                fix="choose another name, or remove it first",
            )
        return networks.create(spec)


def remove_network(layout: Layout, asked: str, *, missing_is_fine: bool) -> bool:
    """False when it was not there. Raises Conflict while containers have it, NotFound."""
    try:
        found = find_network(layout, asked)
    except NotFound:
        if missing_is_fine:
            return False
        raise
    with open_networks(layout) as networks:
        networks.remove(found.spec.name)
    return True


def prune_networks(layout: Layout, filters: ObjectFilters) -> Iterator[str]:
    """Remove what no container uses: each name as it goes."""
    used = _used_names(layout)
    for network in all_networks(layout):
        spec = network.spec
        if (
            spec.name in used
            or spec.name == DEFAULT_NETWORK
            or not filters.labels_pass(dict(spec.labels))
            or not filters.older_than(network.created_ns, time.time_ns())
        ):
            continue
        with _settled(layout, spec.project), open_networks(layout) as networks:
            if spec.name in _used_names(layout):
                continue
            try:
                networks.remove(spec.name)
            except Conflict:
                continue  # a container has come to it this very moment
        yield spec.name


def _settled(layout: Layout, project: str) -> AbstractContextManager[object]:
    """No command makes a network of *project* at the moment, to put containers on it."""
    if not project:
        return nullcontext()
    return project_lock(layout, project, command="network prune", report=lambda _: None)


def _used_names(layout: Layout) -> frozenset[str]:
    """Also those of containers that do not run: they are to start again."""
    return frozenset(
        endpoint.network for state in all_states(layout) for endpoint in state.endpoints
    )
