"""ContainerSpec: everything an engine needs to make one container, with nothing left to decide.

`plan` computes it from a Service and its image; the runtime obeys it. It is written to `spec.json`
and travels to the supervisor as JSON, hence msgspec structs: defined in microseconds, encoded in C
and validated when read. Units are in the names; sizes are bytes, times seconds unless named `_ns`.
"""

from __future__ import annotations

from enum import Enum
from typing import NewType

from orchestra.model.structs import Struct

ContainerId = NewType("ContainerId", str)  # 64 hexadecimal digits
ImageId = NewType("ImageId", str)  # "sha256:…", or "host"

Pairs = tuple[tuple[str, str], ...]
"""An ordered map of strings that can be frozen and hashed."""


class Frozen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all model data: immutable, keyword-only, compared by value."""


# -- process ------------------------------------------------------------------------------------
class Ulimit(Frozen, frozen=True, kw_only=True):
    """setrlimit(2); -1 is unlimited. *name* as in compose: "nofile"."""

    name: str
    soft: int
    hard: int


class Process(Frozen, frozen=True, kw_only=True):
    """What is executed, as whom, and with which environment."""

    argv: tuple[str, ...]
    entrypoint_words: int = 0  # so many of argv are the entrypoint: shown by `inspect`
    env: Pairs = ()
    cwd: str = "/"
    user: str = ""  # "", "uid", "name", "uid:gid", "name:group": looked up in the image's passwd
    groups: tuple[str, ...] = ()  # group_add
    ulimits: tuple[Ulimit, ...] = ()
    oom_score_adj: int = 0
    tty: bool = False
    tty_rows: int = 0  # the terminal's first size; 0: none is set
    tty_columns: int = 0
    stdin_open: bool = False
    stdin_once: bool = False  # it ends when the first who attached has closed it
    init: bool = False


# -- file systems -------------------------------------------------------------------------------
class MountKind(Enum):
    BIND = "bind"
    VOLUME = "volume"
    TMPFS = "tmpfs"
    IMAGE = "image"


class Mount(Frozen, frozen=True, kw_only=True):
    """One mount of a container, below its root.

    *source* is an absolute host path for BIND, a volume's full name for VOLUME and an image's id
    for IMAGE, whose files the container gets with a writable layer of its own.
    """

    kind: MountKind
    target: str
    source: str = ""
    read_only: bool = False
    anonymous: bool = False  # VOLUME without a name of the user's: goes with `down -v`, `rm -v`
    create_source: bool = False  # BIND in short syntax: make a missing source as a directory
    subpath: str = ""  # VOLUME, IMAGE: a directory, or an image's file, inside
    no_copy: bool = False  # VOLUME: do not fill a new volume from the image
    labels: Pairs = ()  # VOLUME, anonymous: of the new volume
    propagation: str = ""  # BIND: "rprivate" (default), "rslave", "rshared", …
    recursive: bool = True
    is_open_below: bool = False  # BIND: what is mounted below stays writable under *read_only*
    selinux: str = ""  # "z" | "Z"
    size_bytes: int = 0  # TMPFS: 0 is the kernel's default
    mode: int | None = None  # TMPFS
    options: str = ""  # TMPFS: further mount options, "uid=1000,noexec"


class FileContent(Frozen, frozen=True, kw_only=True):
    """A config or secret that is written into the container: *content* or the file *source*."""

    target: str
    source: str = ""
    content: str = ""
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


class Device(Frozen, frozen=True, kw_only=True):
    source: str
    target: str
    permissions: str = "rwm"
    mode: int | None = None  # None, here and below: as the host's node
    uid: int | None = None
    gid: int | None = None


# -- network ------------------------------------------------------------------------------------
class NetworkMode(Enum):
    ENDPOINTS = "endpoints"  # the networks in `endpoints`; with none of them: loopback only
    HOST = "host"
    CONTAINER = "container"  # the network namespace of `network_container`


class Endpoint(Frozen, frozen=True, kw_only=True):
    """Membership of one network."""

    network: str  # full name, "project_default"
    aliases: tuple[str, ...] = ()
    ipv4_address: str = ""  # asked for; "" lets IPAM choose
    ipv6_address: str = ""
    mac_address: str = ""
    priority: int = 0
    gw_priority: int = 0
    interface_name: str = ""
    driver_opts: Pairs = ()
    link_local_ips: tuple[str, ...] = ()
    links: Pairs = ()  # (another container's name, what this container alone calls it)


class PublishedPort(Frozen, frozen=True, kw_only=True):
    """A container port on the host; *host_port* 0 lets the engine choose one from the range.

    host_port_end > host_port means: the first free one in host_port … host_port_end.
    """

    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""  # "" is every address
    host_port: int = 0
    host_port_end: int = 0


class Dns(Frozen, frozen=True, kw_only=True):
    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


# -- limits and rights --------------------------------------------------------------------------
class BlkioRate(Frozen, frozen=True, kw_only=True):
    """A throttle on one device: bytes per second or operations per second."""

    path: str
    rate: int


class Resources(Frozen, frozen=True, kw_only=True):
    """cgroup limits; 0 (or "") is no limit. Docker's meanings, version-free."""

    cpu_nanos: int = 0  # 1_500_000_000 is one and a half CPUs
    cpu_shares: int = 0
    cpu_period_us: int = 0
    cpu_quota_us: int = 0
    cpu_rt_runtime_us: int = 0
    cpu_rt_period_us: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    memory_bytes: int = 0
    memory_swap_bytes: int = 0  # memory plus swap; -1 unlimited
    memory_reservation_bytes: int = 0
    memory_swappiness: int = -1
    oom_kill_disable: bool = False
    pids: int = 0
    blkio_weight: int = 0
    blkio_weight_device: tuple[BlkioRate, ...] = ()
    blkio_read_bps: tuple[BlkioRate, ...] = ()
    blkio_write_bps: tuple[BlkioRate, ...] = ()
    blkio_read_iops: tuple[BlkioRate, ...] = ()
    blkio_write_iops: tuple[BlkioRate, ...] = ()
    device_rules: tuple[str, ...] = ()  # "c 1:3 mr"
    cgroup_parent: str = ""


class Security(Frozen, frozen=True, kw_only=True):
    privileged: bool = False
    cap_add: tuple[str, ...] = ()  # as written: "NET_ADMIN", "CAP_NET_ADMIN", "ALL"
    cap_drop: tuple[str, ...] = ()
    read_only_root: bool = False
    options: tuple[str, ...] = ()  # security_opt as written
    sysctls: Pairs = ()


class Namespaces(Frozen, frozen=True, kw_only=True):
    """Each is "" (a namespace of its own), "host" or "container:ID".

    *ipc* may be "none": a namespace of its own, without /dev/shm.
    """

    pid: str = ""
    ipc: str = ""
    uts: str = ""
    cgroup: str = ""
    user: str = ""


# -- life cycle ---------------------------------------------------------------------------------
class HealthCheck(Frozen, frozen=True, kw_only=True):
    """test is ("CMD", …) or ("CMD-SHELL", line). Docker's defaults.

    *start_interval_s* 0: not given.
    """

    test: tuple[str, ...]
    interval_s: float = 30.0
    timeout_s: float = 30.0
    start_period_s: float = 0.0
    start_interval_s: float = 0.0
    retries: int = 3


class RestartMode(Enum):
    NO = "no"
    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    UNLESS_STOPPED = "unless-stopped"


class RestartPolicy(Frozen, frozen=True, kw_only=True):
    mode: RestartMode = RestartMode.NO
    max_attempts: int = 0  # on-failure:N; 0 is no bound
    delay_s: float | None = None  # deploy.restart_policy
    window_s: float | None = None


class LogConfig(Frozen, frozen=True, kw_only=True):
    driver: str = "json-file"
    options: Pairs = ()


class Hook(Frozen, frozen=True, kw_only=True):
    """A post_start or pre_stop command."""

    argv: tuple[str, ...]
    user: str = ""
    privileged: bool = False
    cwd: str = ""
    env: Pairs = ()


# -- the whole ----------------------------------------------------------------------------------
class ContainerSpec(Frozen, frozen=True, kw_only=True):
    """One container, completely described."""

    id: ContainerId
    name: str
    project: str
    service: str
    image: str  # as the user wrote it
    image_id: ImageId
    process: Process
    number: int = 1
    oneoff: bool = False
    remove_after_s: float | None = None  # --rm: so long after its end it is removed
    config_hash: str = ""
    labels: Pairs = ()
    annotations: Pairs = ()
    hostname: str = ""  # "" is the first 12 digits of the id
    domainname: str = ""
    mounts: tuple[Mount, ...] = ()
    files: tuple[FileContent, ...] = ()
    devices: tuple[Device, ...] = ()
    cdi_devices: tuple[str, ...] = ()  # "vendor.com/class=name": looked up when it is started
    shm_bytes: int = 64 * 1024 * 1024
    storage_opts: Pairs = ()
    network_mode: NetworkMode = NetworkMode.ENDPOINTS
    network_container: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    exposed_ports: tuple[str, ...] = ()  # "80/tcp": shown by `ps`
    dns: Dns = Dns()
    extra_hosts: Pairs = ()  # (name, address); address may be "host-gateway"
    namespaces: Namespaces = Namespaces()
    resources: Resources = Resources()
    security: Security = Security()
    healthcheck: HealthCheck | None = None
    restart: RestartPolicy = RestartPolicy()
    stop_signal: str = "SIGTERM"
    stop_grace_s: float = 10.0
    log: LogConfig = LogConfig()
    post_start: tuple[Hook, ...] = ()
    pre_stop: tuple[Hook, ...] = ()
