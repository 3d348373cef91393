"""What two descriptions of one container differ in, as attributes of the compose file. Pure.

Compared is what the container gets, so that a value which the image supplied before and the service
now, or the other way round, counts as well. The contents of configs and secrets are not in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model import labels
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestra.model.container import ContainerSpec


class Difference(NamedTuple):
    """*before* and *after* as JSON; "" for what is not there."""

    attribute: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.attribute}: {self.after} is new"
        if not self.after:
            return f"{self.attribute}: {self.before} is gone"
        return f"{self.attribute}: {self.before} is now {self.after}"


def differences(before: ContainerSpec, after: ContainerSpec) -> tuple[Difference, ...]:
    """Every attribute that *before* and *after* differ in, by name."""
    old, new = _attributes(before), _attributes(after)
    return tuple(
        Difference(name, old.get(name, ""), new.get(name, ""))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _attributes(spec: ContainerSpec) -> dict[str, str]:
    found: dict[str, object] = {name: value(spec) for name, value in _PLAIN.items()}
    for name, entries in _KEYED.items():
        found |= {f"{name}.{key}": value for key, value in entries(spec)}
    for field, value in msgspec.structs.asdict(spec.resources).items():
        found[_RESOURCES.get(field, field)] = value
    # what is left open is no value: "" and 0 say nothing to a reader
    return {name: _json(value) for name, value in found.items() if value not in _NOTHING}


_NOTHING: tuple[object, ...] = ("", 0, False, None, (), -1)


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


_PLAIN: Mapping[str, Callable[[ContainerSpec], object]] = {
    "image": lambda s: s.image if s.image == s.image_id else f"{s.image} ({s.image_id[:19]})",
    "command": lambda s: s.process.argv,
    "working_dir": lambda s: s.process.cwd,
    "user": lambda s: s.process.user,
    "group_add": lambda s: s.process.groups,
    "oom_score_adj": lambda s: s.process.oom_score_adj,
    "tty": lambda s: s.process.tty,
    "stdin_open": lambda s: s.process.stdin_open,
    "init": lambda s: s.process.init,
    "hostname": lambda s: s.hostname,
    "domainname": lambda s: s.domainname,
    "shm_size": lambda s: s.shm_bytes,
    "network_mode": lambda s: s.network_container or s.network_mode.value,
    "ports": lambda s: s.ports,
    "expose": lambda s: s.exposed_ports,
    "dns": lambda s: s.dns.servers,
    "dns_search": lambda s: s.dns.search,
    "dns_opt": lambda s: s.dns.options,
    "pid": lambda s: s.namespaces.pid,
    "ipc": lambda s: s.namespaces.ipc,
    "uts": lambda s: s.namespaces.uts,
    "cgroup": lambda s: s.namespaces.cgroup,
    "userns_mode": lambda s: s.namespaces.user,
    "privileged": lambda s: s.security.privileged,
    "cap_add": lambda s: s.security.cap_add,
    "cap_drop": lambda s: s.security.cap_drop,
    "read_only": lambda s: s.security.read_only_root,
    "security_opt": lambda s: s.security.options,
    "healthcheck": lambda s: s.healthcheck,
    "restart": lambda s: s.restart,
    "stop_signal": lambda s: s.stop_signal,
    "stop_grace_period": lambda s: s.stop_grace_s,
    "logging": lambda s: s.log,
    "post_start": lambda s: s.post_start,
    "pre_stop": lambda s: s.pre_stop,
}


def _own_labels(spec: ContainerSpec) -> Iterable[tuple[str, object]]:
    return ((n, value) for n, value in spec.labels if not n.startswith(labels.PREFIX))


def _files(spec: ContainerSpec) -> Iterable[tuple[str, object]]:
    """Configs and secrets, without what they say."""
    for file in spec.files:
        digest = sha256(file.content.encode()).hexdigest()[:8] if file.content else ""
        yield file.target, msgspec.structs.replace(file, content=digest)


_KEYED: Mapping[str, Callable[[ContainerSpec], Iterable[tuple[str, object]]]] = {
    "environment": lambda s: s.process.env,
    "labels": _own_labels,
    "annotations": lambda s: s.annotations,
    "sysctls": lambda s: s.security.sysctls,
    "storage_opt": lambda s: s.storage_opts,
    "extra_hosts": lambda s: s.extra_hosts,
    "ulimits": lambda s: ((each.name, (each.soft, each.hard)) for each in s.process.ulimits),
    "volumes": lambda s: ((each.target, each) for each in s.mounts),
    "files": _files,
    "devices": lambda s: ((each.target, each) for each in s.devices),
    "networks": lambda s: ((each.network, each) for each in s.endpoints),
}
"""Attributes that are compared entry by entry; `files` are configs and secrets."""

_RESOURCES = {
    "cpu_nanos": "cpus",
    "cpu_period_us": "cpu_period",
    "cpu_quota_us": "cpu_quota",
    "cpu_rt_runtime_us": "cpu_rt_runtime",
    "cpu_rt_period_us": "cpu_rt_period",
    "cpuset_cpus": "cpuset",
    "memory_bytes": "mem_limit",
    "memory_swap_bytes": "memswap_limit",
    "memory_reservation_bytes": "mem_reservation",
    "memory_swappiness": "mem_swappiness",
    "pids": "pids_limit",
    "blkio_weight": "blkio_config.weight",
    "blkio_weight_device": "blkio_config.weight_device",
    "blkio_read_bps": "blkio_config.device_read_bps",
    "blkio_write_bps": "blkio_config.device_write_bps",
    "blkio_read_iops": "blkio_config.device_read_iops",
    "blkio_write_iops": "blkio_config.device_write_iops",
    "device_rules": "device_cgroup_rules",
}
"""How the compose file calls what Resources calls otherwise."""
