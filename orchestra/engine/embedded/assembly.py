"""Puts a launch together: from a container's spec to everything `runtime.launch` needs."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from orchestra.engine.embedded.peers import running_peer
from orchestra.engine.embedded.pump import fifo_paths
from orchestra.errors import LaunchFailed
from orchestra.model.container import ImageId, MountKind, NetworkMode
from orchestra.runtime.base import ImageMount, Launch, VolumeMount

if TYPE_CHECKING:
    from orchestra.cgroup.base import CgroupScope
    from orchestra.engine.embedded.core import Container, Core
    from orchestra.model.container import ContainerSpec
    from orchestra.model.rootfs import Rootfs
    from orchestra.runtime.cdi import CdiHook

NULL_OUTPUT = "/dev/null"
_FRESH_S = 2.0


def with_named_devices(
    core: Core, spec: ContainerSpec
) -> tuple[ContainerSpec, tuple[CdiHook, ...]]:
    """*spec* with what its CDI devices add to it now, and their hooks. Raises as `cdi`."""
    if not spec.cdi_devices:
        return spec, ()
    from orchestra.runtime import cdi

    known = core.drivers.cdi_devices()
    return cdi.with_devices(spec, known), cdi.hooks_of(spec, known)


def assemble(
    core: Core, container: Container, spec: ContainerSpec, scope: CgroupScope, stdin: int
) -> Launch:
    """The launch of *container* as *spec*.

    Raises LaunchFailed, OSError, and what the drivers raise.
    """
    run_dir = core.layout.container_run(core.project, container.id)
    stdout, stderr = fifo_paths(run_dir)
    if spec.log.driver == "none":
        stdout = stderr = NULL_OUTPUT
    return Launch(
        spec=spec,
        rootfs=_rootfs(core, container),
        volumes=_volume_mounts(core, spec),
        images=_image_mounts(core, spec),
        run_dir=run_dir,
        etc_files=write_etc_files(core, container, run_dir),
        cgroup=scope,
        network=core.drivers.networks.setup(spec, container.allocation),
        join_pids=_join_pids(core, spec),
        stdout=stdout,
        stderr=stderr,
        stdin=stdin,
    )


def _rootfs(core: Core, container: Container) -> Rootfs:
    """As prepared by create, when that was just now; what the image shows may change."""
    prepared, container.prepared = container.prepared, None
    if prepared is not None and time.monotonic() - prepared[0] < _FRESH_S:
        return prepared[1]
    snapshot = core.layout.snapshot(core.project, container.id)
    return core.drivers.snapshots.prepare(container.spec.image_id, snapshot)


def _volume_mounts(core: Core, spec: ContainerSpec) -> tuple[VolumeMount, ...]:
    volumes = core.drivers.volumes
    mounts = []
    for mount in spec.mounts:
        if mount.kind is not MountKind.VOLUME:
            continue
        volume = volumes.find(mount.source)
        if volume is None:
            raise LaunchFailed(
                f"volume {mount.source}, mounted on {mount.target}, does not exist",
                fix="run `orchestra up` to create it again",
            )
        fill = not mount.no_copy and volumes.needs_fill(mount.source)
        mounts.append(
            VolumeMount(mount.target, volume.mountpoint, fill, volume.filesystem, volume.read_only)
        )
    return tuple(mounts)


def _image_mounts(core: Core, spec: ContainerSpec) -> tuple[ImageMount, ...]:
    """Raises NotFound for an image that has been removed by force."""
    return tuple(
        ImageMount(
            mount.target,
            core.drivers.snapshots.prepare(
                ImageId(mount.source), core.layout.image_mount(core.project, spec.id, number)
            ),
        )
        for number, mount in enumerate(spec.mounts)
        if mount.kind is MountKind.IMAGE
    )


def write_etc_files(core: Core, container: Container, run_dir: str) -> tuple[tuple[str, str], ...]:
    """Write its /etc/hostname, hosts and resolv.conf: (target, source) of each."""
    spec = container.spec
    hostname = spec.hostname or spec.id[:12]
    contents = {"hostname": hostname + "\n"}
    if spec.network_mode is NetworkMode.CONTAINER:
        peer = running_peer(core, "net", spec.network_container)
        run_dir_of_files = core.layout.container_run(peer.project, peer.id)
    else:
        run_dir_of_files = run_dir
        contents["hosts"] = core.drivers.networks.hosts(spec, container.allocation)
        contents["resolv.conf"] = core.drivers.networks.resolv_conf(spec)
    for name, content in contents.items():
        _write(f"{run_dir}/{name}", content)
    return (
        ("/etc/hostname", f"{run_dir}/hostname"),
        ("/etc/hosts", f"{run_dir_of_files}/hosts"),
        ("/etc/resolv.conf", f"{run_dir_of_files}/resolv.conf"),
    )


def _write(path: str, content: str) -> None:
    """Written in place: a container that mounts the file must go on seeing it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, content.encode())
        os.fchmod(fd, 0o644)
    finally:
        os.close(fd)


def _join_pids(core: Core, spec: ContainerSpec) -> tuple[tuple[str, int], ...]:
    wanted = []
    if spec.network_mode is NetworkMode.CONTAINER:
        wanted.append(("net", spec.network_container))
    for kind in ("pid", "ipc", "uts", "cgroup"):
        mode: str = getattr(spec.namespaces, kind)
        if mode.startswith("container:"):
            wanted.append((kind, mode.removeprefix("container:")))
    return tuple((kind, running_peer(core, kind, other).pid) for kind, other in wanted)
