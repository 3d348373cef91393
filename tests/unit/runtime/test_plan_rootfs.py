"""Which operations build a container's root, and in which order."""

from __future__ import annotations

import msgspec
import pytest

from orchestra.cgroup.v1 import V1Scope
from orchestra.errors import LaunchFailed
from orchestra.model.container import (
    ContainerId,
    ContainerSpec,
    Device,
    FileContent,
    ImageId,
    Mount,
    MountKind,
    Namespaces,
    Process,
    Security,
)
from orchestra.model.network import VolumeFilesystem
from orchestra.model.rootfs import OverlayMount, Rootfs
from orchestra.runtime.base import Launch, VolumeMount
from orchestra.runtime.mountops import MountOp, Overlay, overlay_options
from orchestra.runtime.plan_rootfs import HostTraits, root_operations, shared_trees

V2 = HostTraits(unified_at="")
V1 = HostTraits(cgroup_v1=(("memory", "memory"), ("systemd", "none,name=systemd")))
ROOT = OverlayMount(target="/", lower=("/l2", "/l1"), upper="/u", work="/w")


SPEC = ContainerSpec(
    id=ContainerId("a" * 64),
    name="web-1",
    project="p",
    service="web",
    image="i",
    image_id=ImageId("sha256:0"),
    process=Process(argv=("true",)),
)


def spec_with(**fields: object) -> ContainerSpec:
    return msgspec.structs.replace(SPEC, **fields)


def described(
    spec: ContainerSpec,
    volumes: tuple[VolumeMount, ...] = (),
    etc: tuple[tuple[str, str], ...] = (),
    host: HostTraits = V2,
) -> list[str]:
    plan = Launch(
        spec,
        Rootfs(overlays=(ROOT,)),
        volumes,
        "/run",
        etc,
        V1Scope({}),
        None,
        (),
        "/o",
        "/e",
    )
    return [operation.describe() for operation in root_operations(plan, host)]


def test_a_plain_container_has_what_docker_gives_it() -> None:
    assert described(spec_with()) == [
        "mount the image's layers on /",
        "mount proc on /proc",
        "mount sysfs on /sys",
        "mount tmpfs on /dev",
        "make the nodes in /dev",
        "mount devpts on /dev/pts",
        "mount tmpfs on /dev/shm",
        "mount mqueue on /dev/mqueue",
        "mount cgroup2 on /sys/fs/cgroup",
        "hide /proc/acpi",
        "hide /proc/asound",
        "hide /proc/interrupts",
        "hide /proc/kcore",
        "hide /proc/keys",
        "hide /proc/latency_stats",
        "hide /proc/sched_debug",
        "hide /proc/scsi",
        "hide /proc/timer_list",
        "hide /proc/timer_stats",
        "hide /sys/devices/virtual/powercap",
        "hide /sys/firmware",
        "make /proc/bus read-only",
        "make /proc/fs read-only",
        "make /proc/irq read-only",
        "make /proc/sys read-only",
        "make /proc/sysrq-trigger read-only",
    ]


def test_a_volume_is_filled_before_a_bind_hides_the_image_and_mounted_after_it() -> None:
    steps = described(
        spec_with(
            mounts=(
                Mount(kind=MountKind.VOLUME, target="/app/node_modules", source="v"),
                Mount(kind=MountKind.BIND, target="/app", source="/src"),
            )
        ),
        (VolumeMount("/app/node_modules", "/vol", fill=True),),
    )
    fill = steps.index("fill the volume for /app/node_modules from the image")
    assert fill == 1
    assert steps.index("mount /src on /app") < steps.index("mount /vol on /app/node_modules")


def test_etc_files_and_secrets_follow_a_bind_over_their_directory() -> None:
    steps = described(
        spec_with(
            mounts=(Mount(kind=MountKind.BIND, target="/etc/", source="/src"),),
            files=(FileContent(target="/run/secrets/s", content="x"),),
        ),
        etc=(("/etc/hosts", "/run/hosts"),),
    )
    assert steps.index("mount /src on /etc") < steps.index("mount /run/hosts on /etc/hosts")
    assert steps.index("make room for configs and secrets") < steps.index("write /run/secrets/s")


def test_the_users_own_mount_replaces_a_standard_one() -> None:
    mounts = tuple(
        Mount(kind=MountKind.BIND, target=target, source="/src")
        for target in ("/etc/hosts", "/sys/fs/cgroup", "/dev/shm")
    )
    steps = described(spec_with(mounts=mounts), etc=(("/etc/hosts", "/run/hosts"),), host=V1)
    assert "mount /run/hosts on /etc/hosts" not in steps
    assert not [step for step in steps if "cgroup" in step and step.startswith("mount cgroup")]
    assert "mount tmpfs on /dev/shm" not in steps
    assert "make /sys/fs/cgroup read-only" not in steps


def test_v1_controllers_are_mounted_one_by_one_on_a_tmpfs_made_read_only() -> None:
    steps = described(spec_with(), host=V1)
    assert [step for step in steps if "cgroup" in step] == [
        "mount tmpfs on /sys/fs/cgroup",
        "mount cgroup on /sys/fs/cgroup/memory",
        "mount cgroup on /sys/fs/cgroup/systemd",
        "make /sys/fs/cgroup read-only",
    ]


def test_the_hosts_cgroup_namespace_shows_the_hosts_own_mount() -> None:
    steps = described(spec_with(namespaces=Namespaces(cgroup="host")))
    assert [step for step in steps if "cgroup" in step] == [
        "mount /sys/fs/cgroup on /sys/fs/cgroup"
    ]


def test_a_privileged_container_hides_nothing_and_has_the_hosts_devices() -> None:
    steps = described(spec_with(security=Security(privileged=True)))
    assert "add the host's devices" in steps
    assert not [step for step in steps if step.startswith(("hide", "make /"))]


def test_devices_are_added() -> None:
    steps = described(spec_with(devices=(Device(source="/dev/fuse", target="/dev/fuse"),)))
    assert "add the device /dev/fuse" in steps


def test_a_host_ipc_namespace_brings_the_hosts_shared_memory() -> None:
    assert "mount /dev/shm on /dev/shm" in described(spec_with(namespaces=Namespaces(ipc="host")))


def test_without_ipc_there_is_no_shared_memory() -> None:
    assert "/dev/shm" not in str(described(spec_with(namespaces=Namespaces(ipc="none"))))


def test_a_volume_with_a_file_system_is_attached() -> None:
    steps = described(
        spec_with(mounts=(Mount(kind=MountKind.VOLUME, target="/v", source="p_v"),)),
        (VolumeMount("/v", "", False, VolumeFilesystem(type="nfs", device=":/x")),),
    )
    assert "mount the volume p_v on /v" in steps


def test_only_binds_that_ask_for_it_stay_shared_with_the_host() -> None:
    def bind(propagation: str) -> Mount:
        return Mount(kind=MountKind.BIND, target="/t", source="/s", propagation=propagation)

    found: list[tuple[MountOp, ...]] = [
        shared_trees(spec_with(mounts=(bind(propagation),)))
        for propagation in ("", "rprivate", "rslave", "rshared")
    ]
    assert [len(operations) for operations in found] == [0, 0, 1, 1]


def test_an_unknown_propagation_is_an_error_with_the_known_ones() -> None:
    mount = Mount(kind=MountKind.BIND, target="/t", source="/s", propagation="wide")
    with pytest.raises(LaunchFailed, match="wide") as caught:
        described(spec_with(mounts=(mount,)))
    assert "rshared" in caught.value.fix


def test_overlay_options_escape_what_overlayfs_reads() -> None:
    layers = Overlay("/", ("/a:b", "/c,d"), "/u:p", "/w", "index=off")
    assert overlay_options(layers) == (
        "",
        r"lowerdir=/a\:b:/c\,d,index=off,upperdir=/u\:p,workdir=/w",
    )


def test_many_layers_are_named_from_their_common_directory() -> None:
    lower = tuple(f"/var/lib/orchestra/images/layers/{number:064x}/diff" for number in range(50))
    directory, data = overlay_options(Overlay("/", lower, "/u", "/w"))
    assert directory == "/var/lib/orchestra/images/layers"
    assert data.startswith(f"lowerdir={0:064x}/diff:{1:064x}/diff")
    assert len(data) < 4096
