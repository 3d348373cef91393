"""The files of a container, whether it runs or not: what `cp`, `export` and `diff` look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.model.container import ContainerSpec, ImageId, MountKind
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.ops.container_find import reading_spec
from orchestra.runtime.mountops import Bind, Fill, ImageTree, overlays_of
from orchestra.runtime.plan_rootfs import observe_host
from orchestra.runtime.rootview import (
    FileId,
    assembled_root,
    image_of,
    kernel_mounts,
    readable_layers,
    running_root,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from orchestra.layout import Layout
    from orchestra.linux.fds import Fd
    from orchestra.model.container import Mount
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.runtime.mountops import MountOp


class ContainerRoot(NamedTuple):
    """The root as a descriptor. *hidden* are directories whose content is the kernel's."""

    fd: Fd
    hidden: frozenset[FileId] = frozenset()

    def __enter__(self) -> ContainerRoot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.fd.close()


def open_root(host: Host, state: ContainerState) -> ContainerRoot:
    """The root with the volumes and bind mounts of *state*, to read and to write.

    Of a running container it is what its processes see. The temporary file systems of one that
    does not run are not there. Raises NotFound when the container has just gone.
    """
    running = running_root(state.pid, state.start_ticks) if state.pid else None
    if running is not None:
        return ContainerRoot(running, kernel_mounts(state.pid, running.fileno()))
    spec = read_spec(host.layout, state)
    rootfs = host.snapshots().prepare(spec.image_id, _snapshot(host, state))
    mounts = tuple(_mounts(host, spec))
    operations = (*overlays_of(rootfs, _overlay_options()), *mounts)
    root = ContainerRoot(assembled_root(operations, _place(host.layout, state)))
    for operation in mounts:
        if isinstance(operation, Fill):
            host.volumes().mark_filled(_volume_at(spec, operation.target))
    return root


def open_layers(host: Host, state: ContainerState) -> ContainerRoot:
    """The image's files with what the container has changed, without any mount; only to read."""
    rootfs = host.snapshots().prepare(ImageId(state.image_id), _snapshot(host, state))
    operations = readable_layers(rootfs, _overlay_options())
    return ContainerRoot(assembled_root(operations, _place(host.layout, state)))


def image_root(host: Host, state: ContainerState) -> ContainerRoot:
    """The image's files as they were before the container; only to read."""
    rootfs = host.snapshots().prepare(ImageId(state.image_id), _snapshot(host, state))
    operations = image_of(rootfs, _overlay_options())
    return ContainerRoot(assembled_root(operations, _place(host.layout, state)))


def read_spec(layout: Layout, state: ContainerState) -> ContainerSpec:
    """What the container was made from. Raises NotFound when it has just been removed."""
    with reading_spec(layout, state) as file:
        return msgspec.json.decode(file.read(), type=ContainerSpec)


def _mounts(host: Host, spec: ContainerSpec) -> Iterator[MountOp]:
    """New volumes filled first, then all from the shortest target to the longest."""
    mounts = sorted(spec.mounts, key=lambda mount: mount.target.count("/"))
    volumes = host.volumes()
    for mount in mounts:
        if (
            mount.kind is MountKind.VOLUME
            and not mount.no_copy
            and volumes.needs_fill(mount.source)
        ):
            found = volumes.find(mount.source)
            if found is not None:
                yield Fill(os.path.normpath(mount.target), found.mountpoint)
    for mount in mounts:
        if mount.kind is MountKind.IMAGE:
            yield _image_tree(host, spec, mount)
            continue
        operation = _mount(host, mount)
        if operation is not None:
            yield operation


def _mount(host: Host, mount: Mount) -> MountOp | None:
    target = os.path.normpath(mount.target)
    if mount.kind is MountKind.BIND:
        return Bind(mount.source, target, mount.read_only, mount.recursive, subpath=mount.subpath)
    if mount.kind is MountKind.TMPFS:
        return None
    volume = host.volumes().find(mount.source)
    if volume is None or volume.filesystem is not None:
        return None
    read_only = mount.read_only or volume.read_only
    return Bind(volume.mountpoint, target, read_only, subpath=mount.subpath)


def _image_tree(host: Host, spec: ContainerSpec, mount: Mount) -> ImageTree:
    number = spec.mounts.index(mount)
    layer = host.layout.image_mount(spec.project, spec.id, number)
    rootfs = host.snapshots().prepare(ImageId(mount.source), layer)
    place = os.path.join(host.layout.view(spec.project, spec.id) + "-images", str(number))
    layers = overlays_of(rootfs, _overlay_options())
    target = os.path.normpath(mount.target)
    return ImageTree(layers, place, target, mount.read_only, mount.subpath)


def _volume_at(spec: ContainerSpec, target: str) -> str:
    return next(m.source for m in spec.mounts if os.path.normpath(m.target) == target)


def _snapshot(host: Host, state: ContainerState) -> str:
    return host.layout.snapshot(state.project, state.id)


def _place(layout: Layout, state: ContainerState) -> str:
    """An empty directory to mount on, in a mount namespace that only we see."""
    place = layout.view(state.project, state.id)
    os.makedirs(place, 0o700, exist_ok=True)
    return place


def _overlay_options() -> str:
    return observe_host().overlay_options
