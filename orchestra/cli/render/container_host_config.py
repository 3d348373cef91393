"""The part HostConfig of `docker inspect`: limits, rights, mounts and ports as they were asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.container import MountKind, NetworkMode

if TYPE_CHECKING:
    from orchestra.model.container import BlkioRate, ContainerSpec, Mount, Resources, Ulimit

_MASKED = (
    "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
)  # fmt: skip
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def host_config(spec: ContainerSpec) -> dict[str, object]:
    """HostConfig of the container that *spec* describes."""
    security, names = spec.security, spec.namespaces
    return {
        "Binds": [bind for mount in spec.mounts if (bind := _bind(mount))] or None,
        "ContainerIDFile": "",
        "LogConfig": {"Type": spec.log.driver, "Config": dict(spec.log.options)},
        "NetworkMode": _network_mode(spec),
        "PortBindings": _bindings(spec),
        "RestartPolicy": {
            "Name": spec.restart.mode.value,
            "MaximumRetryCount": spec.restart.max_attempts,
        },
        "AutoRemove": spec.remove_after_s is not None,
        "VolumeDriver": "",
        "VolumesFrom": None,
        "ConsoleSize": [spec.process.tty_rows, spec.process.tty_columns],
        "CapAdd": list(security.cap_add) or None,
        "CapDrop": list(security.cap_drop) or None,
        "CgroupnsMode": "host" if names.cgroup == "host" else "private",
        "Dns": list(spec.dns.servers),
        "DnsOptions": list(spec.dns.options),
        "DnsSearch": list(spec.dns.search),
        "ExtraHosts": [f"{name}:{address}" for name, address in spec.extra_hosts] or None,
        "GroupAdd": list(spec.process.groups) or None,
        "IpcMode": names.ipc or "private",
        "Cgroup": "",
        "Links": None,
        "OomScoreAdj": spec.process.oom_score_adj,
        "PidMode": names.pid,
        "Privileged": security.privileged,
        "PublishAllPorts": False,
        "ReadonlyRootfs": security.read_only_root,
        "SecurityOpt": list(security.options) or None,
        "UTSMode": names.uts,
        "UsernsMode": names.user,
        "ShmSize": spec.shm_bytes,
        "Sysctls": dict(security.sysctls) or None,
        "Tmpfs": _tmpfs(spec),
        "Runtime": "orchestra",
        "Isolation": "",
        **_resources(spec.resources),
        "Devices": _devices(spec),
        "DeviceCgroupRules": list(spec.resources.device_rules) or None,
        "DeviceRequests": None,
        "Ulimits": [_ulimit(limit) for limit in spec.process.ulimits],
        "Init": spec.process.init,
        "MaskedPaths": None if security.privileged else list(_MASKED),
        "ReadonlyPaths": None if security.privileged else list(_READ_ONLY),
    }


def _devices(spec: ContainerSpec) -> list[dict[str, str]]:
    return [
        {
            "PathOnHost": device.source,
            "PathInContainer": device.target,
            "CgroupPermissions": device.permissions,
        }
        for device in spec.devices
    ]


def _ulimit(limit: Ulimit) -> dict[str, object]:
    return {"Name": limit.name, "Hard": limit.hard, "Soft": limit.soft}


def _bind(mount: Mount) -> str:
    if mount.kind is MountKind.TMPFS or mount.anonymous:
        return ""
    mode = mount.selinux or ("ro" if mount.read_only else "")
    return f"{mount.source}:{mount.target}" + (f":{mode}" if mode else "")


def _tmpfs(spec: ContainerSpec) -> dict[str, str] | None:
    found = {}
    for mount in spec.mounts:
        if mount.kind is MountKind.TMPFS:
            size = f"size={mount.size_bytes}" if mount.size_bytes else ""
            mode = f"mode={mount.mode:o}" if mount.mode is not None else ""
            found[mount.target] = ",".join(part for part in (mount.options, size, mode) if part)
    return found or None


def _network_mode(spec: ContainerSpec) -> str:
    if spec.network_mode is NetworkMode.HOST:
        return "host"
    if spec.network_mode is NetworkMode.CONTAINER:
        return f"container:{spec.network_container}"
    return spec.endpoints[0].network if spec.endpoints else "none"


def _bindings(spec: ContainerSpec) -> dict[str, object]:
    found: dict[str, list[dict[str, str]]] = {}
    for port in spec.ports:
        host_port = str(port.host_port) if port.host_port else ""
        if port.host_port_end > port.host_port:
            host_port += f"-{port.host_port_end}"
        found.setdefault(f"{port.container_port}/{port.protocol}", []).append(
            {"HostIp": port.host_ip, "HostPort": host_port}
        )
    return dict(found)


def _resources(limits: Resources) -> dict[str, object]:
    return {
        "CpuShares": limits.cpu_shares,
        "Memory": limits.memory_bytes,
        "NanoCpus": limits.cpu_nanos,
        "CgroupParent": limits.cgroup_parent,
        "BlkioWeight": limits.blkio_weight,
        "BlkioWeightDevice": _rates(limits.blkio_weight_device, "Weight"),
        "BlkioDeviceReadBps": _rates(limits.blkio_read_bps, "Rate"),
        "BlkioDeviceWriteBps": _rates(limits.blkio_write_bps, "Rate"),
        "BlkioDeviceReadIOps": _rates(limits.blkio_read_iops, "Rate"),
        "BlkioDeviceWriteIOps": _rates(limits.blkio_write_iops, "Rate"),
        "CpuPeriod": limits.cpu_period_us,
        "CpuQuota": limits.cpu_quota_us,
        "CpuRealtimePeriod": limits.cpu_rt_period_us,
        "CpuRealtimeRuntime": limits.cpu_rt_runtime_us,
        "CpusetCpus": limits.cpuset_cpus,
        "CpusetMems": limits.cpuset_mems,
        "MemoryReservation": limits.memory_reservation_bytes,
        "MemorySwap": limits.memory_swap_bytes,
        "MemorySwappiness": None if limits.memory_swappiness < 0 else limits.memory_swappiness,
        "OomKillDisable": limits.oom_kill_disable,
        "PidsLimit": limits.pids or None,
    }


def _rates(rates: tuple[BlkioRate, ...], key: str) -> list[dict[str, object]]:
    return [{"Path": rate.path, key: rate.rate} for rate in rates]
