"""Which operations build a container's root, and in which order. Decides; does nothing.

The order: trees that stay shared with the host, overlays, volumes filled while the image's content
can still be seen, then all mounts from the shortest target to the longest (so that `/app` comes
before `/app/node_modules`, whoever asked for them), then what hides and protects.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from orchestra.linux import constants as c
from orchestra.model.container import Mount, MountKind
from orchestra.named import NamedTuple
from orchestra.runtime.cdi_hooks import RunHook
from orchestra.runtime.devices import AllHostDevices, DefaultDevices, HostDevice
from orchestra.runtime.failure import BEFORE_EXEC, Failure, launch_failed
from orchestra.runtime.mount_options import tmpfs_options
from orchestra.runtime.mountops import (
    PROPAGATION,
    Attach,
    Bind,
    FileSystem,
    Fill,
    ImageTree,
    Mask,
    MountOp,
    PrivateFile,
    ReadOnly,
    ReadOnlyMount,
    SharedTree,
    Staging,
    overlays_of,
)

if TYPE_CHECKING:
    from orchestra.model.container import ContainerSpec
    from orchestra.runtime.base import Launch, VolumeMount

MASKED: Final = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
)
SHM: Final = "/dev/shm"  # noqa: S108 (the container's)
READ_ONLY: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

_CGROUPS = "/sys/fs/cgroup"
_SAFE = c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC


class HostTraits(NamedTuple):
    """What the plan must know of the host; read once."""

    cgroup_v1: tuple[tuple[str, str], ...] = ()  # (directory below /sys/fs/cgroup, options)
    unified_at: str | None = None  # "" for pure v2, "unified" beside v1, None without
    thermal_cpus: int = 0  # CPUs with a thermal_throttle directory
    overlay_options: str = ""  # for every overlay
    has_apparmor: bool = False
    has_selinux: bool = False


def observe_host() -> HostTraits:
    """Look at this host's /proc and /sys."""
    hierarchies: list[tuple[str, str]] = []
    with open("/proc/self/cgroup") as file:
        for line in file:
            _, controllers, _ = line.split(":", 2)
            directory = controllers.removeprefix("name=")
            if controllers and os.path.isdir(f"/sys/fs/cgroup/{directory}"):
                named = controllers.startswith("name=")
                hierarchies.append((directory, f"none,{controllers}" if named else controllers))
    unified: str | None = None
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        unified = ""
    elif os.path.exists("/sys/fs/cgroup/unified/cgroup.controllers"):
        unified = "unified"
    throttled = os.path.exists("/sys/devices/system/cpu/cpu0/thermal_throttle")
    # With an index an upper directory belongs for ever to the very lower ones it was first used
    # with: a host that was upgraded between two starts of a container would give ESTALE.
    has_index = os.path.exists("/sys/module/overlay/parameters/index")
    return HostTraits(
        tuple(hierarchies),
        unified,
        (os.cpu_count() or 0) if throttled else 0,
        "index=off" if has_index else "",
        os.path.isdir("/sys/kernel/security/apparmor"),
        os.path.exists("/sys/fs/selinux/enforce"),
    )


def shared_trees(spec: ContainerSpec) -> tuple[MountOp, ...]:
    """To be applied before the new mount namespace is made private."""
    return tuple(
        SharedTree(mount.source, os.path.normpath(mount.target), mount.recursive)
        for mount in spec.mounts
        if mount.kind is MountKind.BIND and mount.propagation in _HOST_PROPAGATION
    )


def root_operations(plan: Launch, host: HostTraits) -> tuple[MountOp, ...]:
    """Everything that is mounted, in order. Raises LaunchFailed for what cannot be."""
    spec = plan.spec
    layers = overlays_of(plan.rootfs, host.overlay_options)
    fills = tuple(Fill(volume.target, volume.source) for volume in plan.volumes if volume.fill)
    wanted = dict(_user_mounts(plan, host))
    taken = frozenset(wanted)
    mounts = [*_standard_mounts(spec, host, taken), *wanted.items()]
    mounts += [
        (target, Bind(source, target)) for target, source in plan.etc_files if target not in taken
    ]
    files = [
        (
            file.target,
            PrivateFile(
                str(number),
                file.target,
                file.source,
                file.content,
                file.uid,
                file.gid,
                file.mode,
            ),
        )
        for number, file in enumerate(spec.files)
    ]
    staging = (Staging(),) if files else ()
    ordered = tuple(op for _, op in sorted([*mounts, *files], key=_depth))
    return (
        *layers,
        *fills,
        *staging,
        *ordered,
        *_devices(spec, taken),
        *(RunHook(hook, spec.id, plan.run_dir) for hook in plan.hooks),
        *_protections(spec, host, taken),
    )


def _depth(entry: tuple[str, MountOp]) -> int:
    return sum(1 for part in entry[0].split("/") if part)


def _standard_mounts(
    spec: ContainerSpec, host: HostTraits, taken: frozenset[str]
) -> list[tuple[str, MountOp]]:
    """What every container has, except where the user mounts something of his own."""
    read_only = 0 if spec.security.privileged else c.MS_RDONLY
    mounts: list[tuple[str, MountOp]] = [
        ("/proc", FileSystem("proc", "/proc", _SAFE)),
        ("/sys", FileSystem("sysfs", "/sys", _SAFE | read_only)),
    ]
    if "/dev" not in taken:
        flags = c.MS_NOSUID | c.MS_STRICTATIME
        mounts += [
            ("/dev", FileSystem("tmpfs", "/dev", flags, "mode=755,size=65536k")),
            ("/dev", DefaultDevices()),
            ("/dev/pts", FileSystem("devpts", "/dev/pts", c.MS_NOSUID | c.MS_NOEXEC, _DEVPTS)),
        ]
    mounts += _shared_memory(spec) if "/dev" not in taken else []
    if not taken & {"/sys", _CGROUPS}:
        mounts += _cgroup_mounts(spec, host, read_only)
    return [entry for entry in mounts if entry[0] not in taken]


_DEVPTS = "newinstance,ptmxmode=0666,mode=0620,gid=5"


def _shared_memory(spec: ContainerSpec) -> list[tuple[str, MountOp]]:
    """What belongs to the IPC namespace, /dev/shm and /dev/mqueue: shared when it is.

    With `ipc: none` there is no /dev/shm (moby daemon/oci_linux.go).
    """
    shm: MountOp = FileSystem("tmpfs", SHM, _SAFE, f"mode=1777,size={spec.shm_bytes}")
    if spec.namespaces.ipc == "host" or spec.namespaces.ipc.startswith("container:"):
        shm = Bind(SHM, SHM)  # of the host, or the tree that `launch` took from the container
    mqueue = FileSystem("mqueue", "/dev/mqueue", _SAFE, optional=True)
    return [*([] if spec.namespaces.ipc == "none" else [(SHM, shm)]), (mqueue.target, mqueue)]


def _cgroup_mounts(
    spec: ContainerSpec, host: HostTraits, read_only: int
) -> list[tuple[str, MountOp]]:
    flags = _SAFE | read_only
    if host.unified_at == "":
        if spec.namespaces.cgroup == "host":
            # A new mount from the host's cgroup namespace would reset the host's mount options.
            return [(_CGROUPS, Bind(_CGROUPS, _CGROUPS, read_only=bool(read_only)))]
        return [(_CGROUPS, FileSystem("cgroup2", _CGROUPS, flags))]
    if not host.cgroup_v1:
        return []
    mounts = [FileSystem("tmpfs", _CGROUPS, _SAFE, "mode=755")]
    mounts += [
        FileSystem("cgroup", f"{_CGROUPS}/{directory}", flags, options, optional=True)
        for directory, options in host.cgroup_v1
    ]
    if host.unified_at is not None and spec.namespaces.cgroup != "host":
        unified = f"{_CGROUPS}/{host.unified_at}"
        mounts.append(FileSystem("cgroup2", unified, flags, optional=True))
    return [(mount.target, mount) for mount in mounts]


def _user_mounts(plan: Launch, host: HostTraits) -> list[tuple[str, MountOp]]:
    volumes = {volume.target: volume for volume in plan.volumes}
    images = {image.target: image.rootfs for image in plan.images}
    mounts: list[tuple[str, MountOp]] = []
    for mount in plan.spec.mounts:
        target = os.path.normpath(mount.target)
        if mount.kind is MountKind.TMPFS:
            flags, data, has_mode = tmpfs_options(mount)
            mounts.append(
                (target, FileSystem("tmpfs", target, flags, data, keep_mode=not has_mode))
            )
        elif mount.kind is MountKind.VOLUME:
            mounts.append((target, _volume(plan.spec.name, mount, volumes[mount.target], target)))
        elif mount.kind is MountKind.IMAGE:
            layers = overlays_of(images[mount.target], host.overlay_options)
            place = os.path.join(plan.run_dir, "images", str(len(mounts)))
            mounts.append(
                (target, ImageTree(layers, place, target, mount.read_only, mount.subpath))
            )
        else:
            mounts.append((target, _bind(plan.spec.name, mount, mount.source, target)))
    return mounts


def _volume(container: str, mount: Mount, volume: VolumeMount, target: str) -> MountOp:
    read_only = mount.read_only or volume.read_only
    if volume.filesystem is not None:
        return Attach(f"the volume {mount.source}", target, read_only)
    return _bind(container, mount, volume.source, target)._replace(read_only=read_only)


def _bind(container: str, mount: Mount, source: str, target: str) -> Bind:
    propagation = mount.propagation or "rprivate"
    if propagation not in PROPAGATION:
        fix = f"use one of {', '.join(sorted(PROPAGATION))}"
        text = f'"{propagation}" is no mount propagation'
        raise launch_failed(container, Failure(BEFORE_EXEC, f"mount {target}", 0, "", text, fix))
    return Bind(
        source,
        target,
        mount.read_only,
        mount.recursive,
        propagation,
        mount.create_source,
        mount.subpath,
        mount.is_open_below,
    )


_HOST_PROPAGATION = frozenset({"shared", "rshared", "slave", "rslave"})


def _devices(spec: ContainerSpec, taken: frozenset[str]) -> tuple[MountOp, ...]:
    if "/dev" in taken:
        return ()
    given = tuple(
        HostDevice(each.source, each.target, each.mode, each.uid, each.gid) for each in spec.devices
    )
    return (AllHostDevices(), *given) if spec.security.privileged else given


def _protections(
    spec: ContainerSpec, host: HostTraits, taken: frozenset[str]
) -> tuple[MountOp, ...]:
    if spec.security.privileged or "systempaths=unconfined" in spec.security.options:
        return ()
    thermal = (
        f"/sys/devices/system/cpu/cpu{number}/thermal_throttle"
        for number in range(host.thermal_cpus)
    )
    # The tmpfs that holds the v1 hierarchies had to be written to; now it need not be.
    cgroup: tuple[MountOp, ...] = ()
    if host.cgroup_v1 and host.unified_at != "" and not taken & {"/sys", _CGROUPS}:
        cgroup = (ReadOnlyMount(_CGROUPS),)
    return (
        *(Mask(path) for path in (*MASKED, *thermal)),
        *(ReadOnly(path) for path in READ_ONLY),
        *cgroup,
    )
