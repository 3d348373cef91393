"""The volumes of this machine: found, made, removed. What `volume …` and `volumes` do."""

from __future__ import annotations

import secrets
import time
from functools import partial
from typing import TYPE_CHECKING

from orchestra.errors import Conflict, NotFound
from orchestra.linux.tree_size import tree_size
from orchestra.model.network import VolumeSpec
from orchestra.ops.container_find import all_states
from orchestra.ops.object_filters import name_passes
from orchestra.ops.system_df import all_volumes
from orchestra.ops.target import find_containers
from orchestra.runtime.volume_users import users_of_volume
from orchestra.volume.local import LocalVolumes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout
    from orchestra.model.container import Pairs
    from orchestra.model.network import VolumeState
    from orchestra.ops.object_filters import ObjectFilters
    from orchestra.ops.target import Target

LIST_FILTERS = ("dangling", "driver", "label", "name")
PRUNE_FILTERS = ("all", "label", "label!")
_ANONYMOUS = ("com.docker.volume.anonymous", "")
_NEW_S = 60.0
"""An unnamed volume this young may belong to a container that is just being made."""


def list_volumes(layout: Layout, filters: ObjectFilters) -> tuple[VolumeState, ...]:
    """The volumes that pass, by name; a *dangling* one is used by no container."""
    dangling = filters.truth("dangling")
    used = _used_names(layout) if dangling is not None else frozenset()
    return tuple(
        volume
        for volume in all_volumes(layout)
        if filters.any_passes("name", name_passes(volume.spec.name))
        and filters.any_passes("driver", (volume.spec.driver or "local").__eq__)
        and filters.labels_pass(dict(volume.spec.labels))
        and dangling in (None, volume.spec.name not in used)
    )


def project_volumes(layout: Layout, target: Target) -> tuple[VolumeState, ...]:
    """The named volumes of a project, or those that the services of *target* mount.

    Raises NotFound for an unknown service.
    """
    states = find_containers(layout, target, oneoffs=True)
    mounted = {mount for state in states for mount in state.mounts}
    return tuple(
        volume
        for volume in LocalVolumes(layout).volumes(target.project)
        if not volume.spec.anonymous and (not target.services or volume.spec.name in mounted)
    )


def inspect_volume(layout: Layout, name: str) -> VolumeState:
    """Raises NotFound."""
    found = LocalVolumes(layout).find(name)
    if found is None:
        raise NotFound(f"get {name}: no such volume", fix="`orchestra volume ls` lists them")
    return found


def create_volume(
    layout: Layout, name: str, driver: str, options: Pairs, labels: Pairs
) -> VolumeState:
    """The volume, made unless there is one of that name; "" gets a random name.

    Raises Conflict when the name is taken by a volume of another driver, ConfigError or Unsupported
    for what the driver does not understand.
    """
    driver = driver or "local"
    if not name:
        labels = (*labels, _ANONYMOUS)
    spec = VolumeSpec(
        name=name or secrets.token_hex(32),
        project="",
        key=name,
        driver=driver,
        driver_opts=options,
        labels=labels,
        anonymous=not name,
    )
    volumes = LocalVolumes(layout)
    known = volumes.find(spec.name)
    if known is not None and (known.spec.driver or "local") != driver:
        raise Conflict(
            f"a volume named {name} already exists with the {known.spec.driver} driver",
            fix="choose another name",
        )
    return volumes.create(spec)


def remove_volume(layout: Layout, name: str, *, missing_is_fine: bool) -> None:
    """Remove it with its data. Raises Conflict while a container has it, NotFound."""
    volumes = LocalVolumes(layout, partial(users_of_volume, layout))
    if not missing_is_fine and not volumes.exists(name):
        raise NotFound(f"get {name}: no such volume", fix="`orchestra volume ls` lists them")
    volumes.remove(name)


def prune_volumes(layout: Layout, filters: ObjectFilters) -> Iterator[tuple[str, int]]:
    """Remove what no container uses: name and freed bytes of each, as it goes.

    Unnamed volumes only, unless the filter `all` says otherwise.
    """
    volumes = LocalVolumes(layout, partial(users_of_volume, layout))
    used = _used_names(layout)
    for volume in all_volumes(layout):
        spec = volume.spec
        if spec.name in used or not filters.labels_pass(dict(spec.labels)):
            continue
        if not spec.anonymous and not filters.truth("all"):
            continue
        if spec.anonymous and spec.project and time.time_ns() - volume.created_ns < _NEW_S * 1e9:
            continue
        size = tree_size(layout.volume_data(spec.name))
        try:
            volumes.remove(spec.name)
        except Conflict:
            continue  # a container has mounted it this very moment
        yield spec.name, size


def _used_names(layout: Layout) -> frozenset[str]:
    return frozenset(mount for state in all_states(layout) for mount in state.mounts)
