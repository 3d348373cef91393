"""Create, remove, rename: containers as directories, addresses, volumes and snapshots."""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.engine.embedded import running, stopping, waiting
from orchestra.engine.embedded.assembly import with_named_devices
from orchestra.engine.embedded.bindsource import make_bind_source
from orchestra.engine.embedded.core import Container
from orchestra.errors import Conflict, NotFound, OrchestraError
from orchestra.linux.remove_tree import remove_tree
from orchestra.model.container import MountKind
from orchestra.model.network import VolumeSpec
from orchestra.model.state import ContainerState, Status
from orchestra.model.structs import msgspec
from orchestra.runtime.logs import rotation
from orchestra.runtime.statefile import write_atomically

if TYPE_CHECKING:
    from orchestra.engine.base import RemoveContainer, RenameContainer
    from orchestra.engine.embedded.core import Core, Reply
    from orchestra.model.container import ContainerSpec, Mount

encode_spec = msgspec.json.Encoder().encode


def create(core: Core, spec: ContainerSpec) -> Container:
    """Make the container; the one with this id if it is there.

    Raises Conflict (name, address or port taken), NotFound (image, bind source), ConfigError.
    """
    existing = core.containers.get(spec.id)
    if existing is not None:
        return existing
    rotation(spec.log.driver, spec.log.options)
    with_named_devices(core, spec)
    stopping.signal_number(spec.stop_signal or "SIGTERM")
    with ExitStack() as undo:
        claim_name(core, spec.name, spec.id)
        undo.callback(release_name, core, spec.name, spec.id)
        directory = core.layout.container(core.project, spec.id)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        undo.callback(_remove_directory, directory)
        for mount in spec.mounts:
            _ensure_source(core, spec, mount, undo)
        path = core.layout.spec_json(core.project, spec.id)
        write_atomically(path, encode_spec(spec), durable=False)
        allocation = core.drivers.networks.allocate(spec)
        undo.callback(core.drivers.networks.release, spec.id)
        snapshot = core.layout.snapshot(core.project, spec.id)
        undo.callback(core.drivers.snapshots.remove, snapshot)
        rootfs = core.drivers.snapshots.prepare(spec.image_id, snapshot)
        state = initial_state(spec)._replace(endpoints=allocation.endpoints, ports=allocation.ports)
        container = Container(spec, state)
        container.prepared = (time.monotonic(), rootfs)
        core.set_state(container, state)
        undo.pop_all()
    core.durable.add(path)
    core.containers[spec.id] = container
    core.emit(container, "create")
    return container


def initial_state(spec: ContainerSpec) -> ContainerState:
    """The state of a container that has just been made, without its addresses."""
    return ContainerState(
        id=spec.id,
        name=spec.name,
        project=spec.project,
        service=spec.service,
        number=spec.number,
        image=spec.image,
        image_id=spec.image_id,
        config_hash=spec.config_hash,
        command=spec.process.argv,
        created_ns=time.time_ns(),
        oneoff=spec.oneoff,
        labels=spec.labels,
        mounts=tuple(mount.source or mount.target for mount in spec.mounts),
        tty=spec.process.tty,
    )


def _ensure_source(core: Core, spec: ContainerSpec, mount: Mount, undo: ExitStack) -> None:
    """The host side of *mount*: a bind's directory, a volume."""
    if mount.kind is MountKind.BIND and not os.path.exists(mount.source):
        if not mount.create_source:
            raise NotFound(
                f"bind source {mount.source} of container {spec.name} does not exist",
                fix="create it, or set create_host_path: true on the mount",
            ).at("services", spec.service, "volumes")
        make_bind_source(mount.source, spec.process.user)
    elif mount.kind is MountKind.VOLUME and core.drivers.volumes.find(mount.source) is None:
        volume = VolumeSpec(
            name=mount.source,
            project=spec.project,
            key="" if mount.anonymous else mount.source,
            anonymous=mount.anonymous,
        )
        core.drivers.volumes.create(volume)
        if mount.anonymous:
            undo.callback(core.drivers.volumes.remove, mount.source)


# -- remove ---------------------------------------------------------------------------------------
def remove(core: Core, container: Container, request: RemoveContainer, reply: Reply) -> None:
    """Answered when it is gone. Raises Conflict when it runs and *force* is not set."""
    running.settle_launch(container)
    running.cancel_restart(container)
    if not container.is_running:
        remove_now(core, container, volumes=request.volumes)
        reply.succeed()
        return
    if not request.force:
        raise Conflict(
            f"container {container.state.name} is running",
            fix="stop it first, or remove it with --force",
        )
    container.restart_requested = False
    core.set_state(container, container.state._replace(stopped_by_user=True))

    def when_exited() -> None:
        try:
            remove_now(core, container, volumes=request.volumes)
        except (OrchestraError, OSError) as exc:
            reply.fail(running.as_error(exc, "remove the container"))
        else:
            reply.succeed()

    container.remove_request = when_exited
    stopping.terminate(core, container, 9, 0)


def remove_now(core: Core, container: Container, *, volumes: bool) -> None:
    """Remove a container without a process; a second call, after a kill, finishes the first."""
    spec = container.spec
    core.set_state(container, container.state._replace(status=Status.REMOVING))
    if volumes:
        for mount in spec.mounts:
            if mount.kind is MountKind.VOLUME and mount.anonymous:
                with contextlib.suppress(Conflict):  # another container uses it: volumes_from
                    core.drivers.volumes.remove(mount.source)
    _remove_directory(core.layout.log_dir(core.project, spec.id))  # may make room on a full disk
    core.drivers.networks.disconnected(spec.id)
    core.drivers.networks.release(spec.id)
    _remove_directory(core.layout.container_run(core.project, spec.id))
    core.trash.throw(core.layout.container(core.project, spec.id))
    release_name(core, container.state.name, spec.id)
    core.containers.pop(spec.id, None)
    core.emit(container, "destroy")
    waiting.settle(container)


def _remove_directory(path: str) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        remove_tree(path)


# -- names ----------------------------------------------------------------------------------------
def claim_name(core: Core, name: str, container_id: str) -> None:
    """Make *name* the container's on this machine. Raises Conflict when another one has it.

    A name is a symbolic link to the container's directory: symlink(2) is atomic, and a link to a
    container that is gone is free.
    """
    path = core.layout.container_name(name)
    target = core.layout.container(core.project, container_id)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    holder = ""
    for _ in range(3):
        try:
            os.symlink(target, path)
        except FileExistsError:
            with contextlib.suppress(OSError):
                holder = os.readlink(path)
                if holder == target:
                    return
                if os.path.exists(holder):
                    break
                os.unlink(path)
        else:
            return
    raise Conflict(
        f'the container name "{name}" is already in use by {_told(holder)}',
        fix="remove or rename that container, or choose another container_name",
    )


def _told(directory: str) -> str:
    """Whose the container's *directory* is: `container 0123456789ab of project "web"`."""
    project = os.path.basename(os.path.dirname(os.path.dirname(directory)))
    return f'container {os.path.basename(directory)[:12]} of project "{project}"'


def release_name(core: Core, name: str, container_id: str) -> None:
    path = core.layout.container_name(name)
    with contextlib.suppress(OSError):
        if os.readlink(path) == core.layout.container(core.project, container_id):
            os.unlink(path)


def change_spec(core: Core, container: Container, spec: ContainerSpec) -> None:
    """Another description of the container from now on, also for who comes after us."""
    container.spec = spec
    write_atomically(core.layout.spec_json(core.project, spec.id), encode_spec(spec))


def rename(core: Core, container: Container, request: RenameContainer, reply: Reply) -> None:
    old = container.state.name
    if request.name != old:
        claim_name(core, request.name, container.id)
        change_spec(core, container, msgspec.structs.replace(container.spec, name=request.name))
        core.set_state(container, container.state._replace(name=request.name))
        release_name(core, old, container.id)
        core.emit(container, "rename")
    reply.succeed()
