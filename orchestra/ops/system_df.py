"""`system df`: what images, containers, volumes and builds take, and what of it could go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.errors import OrchestraError
from orchestra.image.store import LocalImageStore
from orchestra.linux.tree_size import tree_size
from orchestra.model.state import ALIVE
from orchestra.named import NamedTuple
from orchestra.ops.builder import build_cache
from orchestra.ops.container_find import all_states
from orchestra.ops.image_ls import lines_of
from orchestra.volume.local import LocalVolumes

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.model.network import VolumeState
    from orchestra.model.state import ContainerState
    from orchestra.ops.builder import CacheEntry
    from orchestra.ops.image_ls import ImageLine


class ImageUse(NamedTuple):
    """An image; of its bytes *shared* are those of layers that other images have as well."""

    line: ImageLine
    shared_bytes: int
    containers: int


class ContainerUse(NamedTuple):
    """A container and the bytes it has written."""

    state: ContainerState
    size_bytes: int
    volumes: int


class VolumeUse(NamedTuple):
    """A volume, its bytes, and by how many containers it is mounted."""

    name: str
    size_bytes: int
    links: int


class Total(NamedTuple):
    """The line of one kind."""

    kind: str
    number: int
    active: int
    size_bytes: int
    reclaimable_bytes: int


class DiskUse(NamedTuple):
    """Everything, by kind."""

    images: tuple[ImageUse, ...]
    containers: tuple[ContainerUse, ...]
    volumes: tuple[VolumeUse, ...]
    cache: tuple[CacheEntry, ...]
    totals: tuple[Total, ...]


def system_df(layout: Layout) -> DiskUse:
    """What is on the disk now."""
    states = all_states(layout)
    volumes = all_volumes(layout)
    names = {volume.spec.name for volume in volumes}
    containers = tuple(
        ContainerUse(
            state,
            written_bytes(layout, state),
            sum(mount in names for mount in state.mounts),
        )
        for state in states
    )
    volume_uses = tuple(
        VolumeUse(
            volume.spec.name,
            tree_size(volume.mountpoint) if volume.filesystem is None else 0,
            sum(volume.spec.name in state.mounts for state in states),
        )
        for volume in volumes
    )
    images, image_total = _images(LocalImageStore(layout.images), states)
    cache = build_cache(layout)
    cached_bytes = sum(entry.size_bytes for entry in cache if not entry.is_shared)
    running = [use for use in containers if use.state.status in ALIVE]
    return DiskUse(
        images,
        containers,
        volume_uses,
        cache,
        (
            image_total,
            Total(
                "Containers",
                len(containers),
                len(running),
                sum(use.size_bytes for use in containers),
                sum(use.size_bytes for use in containers if use not in running),
            ),
            Total(
                "Local Volumes",
                len(volume_uses),
                sum(use.links > 0 for use in volume_uses),
                sum(use.size_bytes for use in volume_uses),
                sum(use.size_bytes for use in volume_uses if not use.links),
            ),
            Total("Build Cache", len(cache), 0, cached_bytes, cached_bytes),
        ),
    )


def all_volumes(layout: Layout) -> tuple[VolumeState, ...]:
    """The volumes of every project, by name; damaged ones are left out."""
    driver = LocalVolumes(layout)
    found = []
    try:
        names = sorted(os.listdir(layout.volumes))
    except FileNotFoundError:
        return ()
    for name in names:
        try:
            volume = driver.find(name)
        except OrchestraError:
            continue
        if volume is not None:
            found.append(volume)
    return tuple(found)


def written_bytes(layout: Layout, state: ContainerState) -> int:
    """Of all its overlays: a container of `host` has one for each directory shown.

    Where there can be no overlay it is a whole copy of its image.
    """
    snapshot = layout.snapshot(state.project, state.id)
    try:
        overlays = os.listdir(snapshot)
    except OSError:
        return 0
    return sum(
        tree_size(os.path.join(snapshot, overlay, kind))
        for overlay in overlays
        for kind in ("upper", "copy")
    )


def _images(
    store: LocalImageStore, states: tuple[ContainerState, ...]
) -> tuple[tuple[ImageUse, ...], Total]:
    """The images, and their total: layers once, and the blobs that they were unpacked from."""
    readable = (store.readable(row.id) for row in store.catalog.images())
    images = [image for image in readable if image is not None]
    owners: dict[str, set[str]] = {}
    for image in images:
        for diff_id in image.document.diff_ids:
            owners.setdefault(diff_id, set()).add(image.id)
    sizes = {diff_id: store.unpacked.size(diff_id) for diff_id in owners}
    used = [state.image_id for state in states]
    uses = tuple(
        ImageUse(
            line,
            sum(sizes[diff] for diff in set(image.document.diff_ids) if len(owners[diff]) > 1),
            used.count(image.id),
        )
        for image in images
        for line in lines_of(image.config, store.catalog.names(image.id))
    )
    active = {image.id for image in images} & set(used)
    total, reclaimable = sum(sizes.values()), 0
    reclaimable += sum(size for diff_id, size in sizes.items() if not owners[diff_id] & active)
    in_use = frozenset(
        digest
        for image in images
        if image.id in active
        for digest in (
            image.id,
            image.manifest_digest,
            *(layer.digest for layer in image.manifest.layers),
        )
    )
    for digest in store.blobs.all():
        size = store.blobs.size(digest)
        total += size
        reclaimable += 0 if digest in in_use else size
    return uses, Total("Images", len(images), len(active), total, reclaimable)
