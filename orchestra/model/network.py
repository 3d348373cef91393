"""NetworkSpec and VolumeSpec: what a project declares beside its services, ready for an engine."""

from __future__ import annotations

from orchestra.model.container import Frozen, Pairs


class IpamPool(Frozen, frozen=True, kw_only=True):
    """One address pool of a network; CIDR notation, "" lets the engine choose."""

    subnet: str = ""
    gateway: str = ""
    ip_range: str = ""
    aux_addresses: Pairs = ()


class NetworkSpec(Frozen, frozen=True, kw_only=True):
    """A network under its full name; *external* ones must exist and are never removed."""

    name: str  # "project_default"
    project: str
    key: str  # "default": its name in the compose file
    driver: str = "bridge"
    driver_opts: Pairs = ()
    internal: bool = False
    attachable: bool = False
    enable_ipv4: bool = True
    enable_ipv6: bool = False
    ipam_driver: str = ""
    ipam_options: Pairs = ()
    pools: tuple[IpamPool, ...] = ()
    labels: Pairs = ()
    external: bool = False


class VolumeSpec(Frozen, frozen=True, kw_only=True):
    """A volume under its full name; *external* ones must exist and are never removed."""

    name: str  # "project_data"
    project: str
    key: str
    driver: str = "local"
    driver_opts: Pairs = ()
    labels: Pairs = ()
    external: bool = False
    anonymous: bool = False


class NetworkState(Frozen, frozen=True, kw_only=True):
    spec: NetworkSpec
    subnet: str  # "10.201.3.0/24"
    gateway: str
    bridge: str  # the link's name on the host
    subnet6: str = ""  # when the network has IPv6
    gateway6: str = ""
    created_ns: int = 0


class VolumeFilesystem(Frozen, frozen=True, kw_only=True):
    """A file system that is mounted in each container instead of the volume's directory."""

    type: str  # "tmpfs", "nfs", …: mount(2)'s
    device: str
    options: str = ""  # "addr=10.0.0.1,rw"


class VolumeState(Frozen, frozen=True, kw_only=True):
    """*mountpoint* is the host directory that holds the data, unless *filesystem* is set."""

    spec: VolumeSpec
    mountpoint: str
    created_ns: int = 0
    filesystem: VolumeFilesystem | None = None
    read_only: bool = False  # driver_opts: o=ro
