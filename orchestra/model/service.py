"""Service: one service of a project, every attribute of the compose specification.

What the loader leaves has nothing to look up: paths are absolute, env files are read, short forms
are gone. Three things keep the difference between "not written" (None) and "written empty":
`command`, `entrypoint` and the parts of the healthcheck, because the image supplies what is absent.
"""

from __future__ import annotations

from enum import Enum

from orchestra.model.build import BuildSpec
from orchestra.model.container import (
    Device,
    Dns,
    Frozen,
    Hook,
    LogConfig,
    Pairs,
    PublishedPort,
    Resources,
    RestartPolicy,
    Security,
    Ulimit,
)
from orchestra.model.deploy import Deploy, DeviceRequest
from orchestra.model.develop import WatchRule

OptionalPairs = tuple[tuple[str, str | None], ...]
"""An ordered map of strings; None is a name without a value."""


# -- relations to other services ----------------------------------------------------------------
class DependencyCondition(Enum):
    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


class DependsOn(Frozen, frozen=True, kw_only=True):
    """An edge of the dependency graph. *implied*: by links, volumes_from or a shared namespace."""

    service: str
    condition: DependencyCondition = DependencyCondition.STARTED
    restart: bool = False  # restart the dependent when the dependency is recreated by hand
    required: bool = True
    implied: bool = False


class ServiceNetwork(Frozen, frozen=True, kw_only=True):
    """Membership of the project's network *key* (`Project.network(key).name` is its full name)."""

    key: str
    aliases: tuple[str, ...] = ()  # the service's own name comes besides
    ipv4_address: str = ""
    ipv6_address: str = ""
    link_local_ips: tuple[str, ...] = ()
    mac_address: str = ""
    interface_name: str = ""
    driver_opts: Pairs = ()
    priority: int = 0
    gw_priority: int = 0


class ServicePort(Frozen, frozen=True, kw_only=True):
    """One published port. Ranges are expanded: each container port has an entry of its own."""

    port: PublishedPort
    name: str = ""
    app_protocol: str = ""
    mode: str = "ingress"


class ServiceModel(Frozen, frozen=True, kw_only=True):
    """Use of the project's model *key*; the environment variables that tell where it answers."""

    key: str
    endpoint_variable: str = ""
    model_variable: str = ""


class Provider(Frozen, frozen=True, kw_only=True):
    """A service that an external program runs; each option may have several values."""

    type: str
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()


# -- file systems -------------------------------------------------------------------------------
class VolumeKind(Enum):
    BIND = "bind"
    VOLUME = "volume"
    TMPFS = "tmpfs"
    IMAGE = "image"
    CLUSTER = "cluster"
    NPIPE = "npipe"


class ServiceVolume(Frozen, frozen=True, kw_only=True):
    """One entry of `volumes`.

    *source*: an absolute path for BIND, a key of `Project.volumes` for VOLUME ("" is an anonymous
    volume), a reference for IMAGE.
    """

    kind: VolumeKind
    target: str
    source: str = ""
    read_only: bool = False
    consistency: str = ""
    create_host_path: bool = True  # BIND: make a missing source as a directory
    propagation: str = ""
    recursive: str = ""  # "" | "enabled" | "disabled" | "writable" | "readonly"
    selinux: str = ""
    no_copy: bool = False
    subpath: str = ""  # VOLUME and IMAGE
    labels: Pairs = ()  # VOLUME, anonymous
    tmpfs_bytes: int = 0
    tmpfs_mode: int | None = None


class FileReference(Frozen, frozen=True, kw_only=True):
    """Use of one of the project's configs or secrets, placed at *target* (an absolute path)."""

    source: str
    target: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


class EnvFile(Frozen, frozen=True, kw_only=True):
    path: str
    required: bool = True
    format: str = ""  # "" | "raw"


class VolumesFrom(Frozen, frozen=True, kw_only=True):
    """All mounts of another container; *container* is set instead of *service* for outsiders."""

    service: str = ""
    container: str = ""
    read_only: bool = False


# -- life cycle ---------------------------------------------------------------------------------
class ServiceHealthCheck(Frozen, frozen=True, kw_only=True):
    """What the compose file says; None leaves it to the image, then to Docker's default."""

    disable: bool = False
    test: tuple[str, ...] | None = None  # ("CMD", …), ("CMD-SHELL", line)
    interval_s: float | None = None
    timeout_s: float | None = None
    start_period_s: float | None = None
    start_interval_s: float | None = None
    retries: int | None = None


class PreStart(Frozen, frozen=True, kw_only=True):
    """A command run before the service starts, in a container of its own made from *image*."""

    hook: Hook
    image: str = ""  # "" is the service's
    per_replica: bool = False


class PullPolicy(Enum):
    """The time forms (daily, weekly, every_12h) are REFRESH with `Service.pull_refresh_s`."""

    ALWAYS = "always"
    NEVER = "never"
    MISSING = "missing"
    BUILD = "build"
    REFRESH = "refresh"


class CredentialSpec(Frozen, frozen=True, kw_only=True):
    config: str = ""
    file: str = ""
    registry: str = ""


# -- the whole ----------------------------------------------------------------------------------
class Service(Frozen, frozen=True, kw_only=True):
    """One service, ready to be planned."""

    name: str
    # what runs
    image: str = ""  # "" with a build: PROJECT-SERVICE is its name
    build: BuildSpec | None = None
    provider: Provider | None = None
    pull_policy: PullPolicy | None = None
    pull_refresh_s: float = 0.0
    platform: str = ""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: OptionalPairs = ()  # env files included; None: taken out of the image's
    env_files: tuple[EnvFile, ...] = ()
    working_dir: str = ""
    user: str = ""
    group_add: tuple[str, ...] = ()
    tty: bool = False
    stdin_open: bool = False
    init: bool | None = None
    hostname: str = ""
    domainname: str = ""
    container_name: str = ""
    labels: Pairs = ()  # the user's, label files included
    label_files: tuple[str, ...] = ()
    annotations: Pairs = ()
    profiles: tuple[str, ...] = ()
    attach: bool = True
    # relations
    depends_on: tuple[DependsOn, ...] = ()
    links: tuple[tuple[str, str], ...] = ()  # (service, alias)
    external_links: tuple[tuple[str, str], ...] = ()  # (container, alias)
    volumes_from: tuple[VolumesFrom, ...] = ()
    # network
    network_mode: str = ""  # "" (see networks) | none | host | bridge | service:N | container:N
    networks: tuple[ServiceNetwork, ...] = ()  # highest priority first
    ports: tuple[ServicePort, ...] = ()
    expose: tuple[str, ...] = ()  # "80/tcp"
    dns: Dns = Dns()
    extra_hosts: Pairs = ()  # (name, address), one pair per address
    mac_address: str = ""
    use_api_socket: bool = False
    # files
    volumes: tuple[ServiceVolume, ...] = ()
    tmpfs: tuple[str, ...] = ()  # "/run:size=64m,mode=1777"
    configs: tuple[FileReference, ...] = ()
    secrets: tuple[FileReference, ...] = ()
    devices: tuple[Device, ...] = ()  # source of a CDI device: "vendor.com/class=name"
    shm_bytes: int = 0  # 0 is the engine's default
    storage_opts: Pairs = ()
    volume_driver: str = ""
    # limits and rights
    resources: Resources = Resources()  # deploy.resources applied over mem_limit, cpus, …
    ulimits: tuple[Ulimit, ...] = ()
    oom_score_adj: int = 0
    gpus: tuple[DeviceRequest, ...] = ()  # with those of deploy.resources.reservations.devices
    security: Security = Security()
    credential_spec: CredentialSpec | None = None
    cpu_count: int = 0  # Windows
    cpu_percent: float = 0.0  # Windows
    isolation: str = ""
    runtime: str = ""
    # namespaces; empty, host, private, shareable, service:NAME or container:NAME
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    cgroup: str = ""
    userns_mode: str = ""
    # life cycle
    replicas: int = 1  # scale, or deploy.replicas
    healthcheck: ServiceHealthCheck | None = None
    restart: RestartPolicy = RestartPolicy()  # deploy.restart_policy wins
    stop_signal: str = ""  # "" is the image's
    stop_grace_s: float | None = None
    logging: LogConfig | None = None
    pre_start: tuple[PreStart, ...] = ()
    post_start: tuple[Hook, ...] = ()
    pre_stop: tuple[Hook, ...] = ()
    deploy: Deploy | None = None
    watch: tuple[WatchRule, ...] = ()
    models: tuple[ServiceModel, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()  # "x-…" -> JSON
