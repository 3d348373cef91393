"""What the engine and the runtime agree on: a launch, described completely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.cgroup.base import CgroupScope
    from orchestra.model.container import ContainerSpec
    from orchestra.model.network import VolumeFilesystem
    from orchestra.model.rootfs import Rootfs
    from orchestra.runtime.cdi import CdiHook


class NetworkSetup(Protocol):
    """Gives the new network namespace its links; both methods run in the forked child."""

    def open_host(self) -> None:
        """Before unshare(2): open what must belong to the host's network namespace."""
        ...

    def configure(self) -> tuple[int, ...]:
        """Inside the new namespace, with all capabilities. The fds are handed to the parent."""
        ...


class VolumeMount(NamedTuple):
    """A Mount of kind VOLUME, resolved to a host directory."""

    target: str
    source: str  # host directory
    fill: bool  # new and empty: copy the image's content at *target* into it first
    filesystem: VolumeFilesystem | None = None  # mounted instead of *source*
    read_only: bool = False  # whatever the Mount says


class ImageMount(NamedTuple):
    """A Mount of kind IMAGE, resolved to layers."""

    target: str
    rootfs: Rootfs


class Launch(NamedTuple):
    """Everything that `launch.launch` needs. Paths are absolute host paths."""

    spec: ContainerSpec
    rootfs: Rootfs
    volumes: tuple[VolumeMount, ...]
    run_dir: str  # layout.container_run: the root's mount point and generated files lie here
    etc_files: tuple[
        tuple[str, str], ...
    ]  # (path in the container, host file): hosts, resolv.conf, hostname
    cgroup: CgroupScope
    network: NetworkSetup | None  # None: see spec.network_mode
    join_pids: tuple[
        tuple[str, int], ...
    ]  # ("net" | "pid" | "ipc" | "uts" | "cgroup", pid to join)
    stdout: str  # FIFO paths; ignored when tty
    stderr: str
    stdin: int = -1  # an fd, or -1 for /dev/null
    images: tuple[ImageMount, ...] = ()
    hooks: tuple[CdiHook, ...] = ()


class Launched(NamedTuple):
    """A container whose command has been executed. The caller owns every fd."""

    pid: int  # in the caller's pid namespace
    start_ticks: int
    pidfd: int
    network_fds: tuple[int, ...]  # what NetworkSetup.configure returned
    terminal: int  # master side when spec.process.tty, else -1
    argv: tuple[str, ...]
