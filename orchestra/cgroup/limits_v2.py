"""Resources as files of cgroup v2. Kernel: admin-guide/cgroup-v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cgroup.convert import cpu_bandwidth, io_weight, memory_and_swap, weight_of_shares
from orchestra.cgroup.settings import DeviceNumber, Setting, per_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import Resources

CONTROLLERS = ("cpu", "io", "memory", "pids")
"""Enabled for every container: for accounting. cpuset is enabled on demand."""


def settings(resources: Resources, number_of: Callable[[str], DeviceNumber]) -> tuple[Setting, ...]:
    """What to write, in order; *number_of* gives a device path's major and minor."""
    return _cpu(resources) + _memory(resources) + _io(resources, number_of)


def changes(resources: Resources, number_of: Callable[[str], DeviceNumber]) -> tuple[Setting, ...]:
    """The same for a cgroup that has limits already: what lifts one is written too."""
    return (*_lifted(resources), *settings(resources, number_of))


def _lifted(resources: Resources) -> tuple[Setting, ...]:
    """A new cgroup has none of these limits; one that has loses it."""
    found = []
    if resources.memory_swap_bytes < 0:
        found.append(_one("memswap_limit", "memory.swap.max", "max"))
    if resources.memory_reservation_bytes < 0:
        found.append(_one("mem_reservation", "memory.low", 0))
    if resources.cpu_quota_us < 0:
        found.append(_one("cpu_quota", "cpu.max", "max"))
    if resources.pids < 0:
        found.append(_one("pids_limit", "pids.max", "max"))
    return tuple(found)


def unsupported(resources: Resources) -> tuple[str, ...]:
    """The attributes that v2 has no counterpart for."""
    wanted = (
        ("mem_swappiness", resources.memory_swappiness >= 0),
        ("oom_kill_disable", resources.oom_kill_disable),
        ("cpu_rt_runtime", resources.cpu_rt_runtime_us > 0),
        ("cpu_rt_period", resources.cpu_rt_period_us > 0),
    )
    return tuple(attribute for attribute, is_wanted in wanted if is_wanted)


def _one(attribute: str, file: str, value: int | str) -> Setting:
    return Setting(attribute, file.partition(".")[0], ((file, str(value)),))


def _cpu(resources: Resources) -> tuple[Setting, ...]:
    found = []
    if resources.cpu_shares > 0:
        found.append(_one("cpu_shares", "cpu.weight", weight_of_shares(resources.cpu_shares)))
    quota, period = cpu_bandwidth(
        resources.cpu_nanos, resources.cpu_quota_us, resources.cpu_period_us
    )
    if quota or period:
        named = "cpus" if resources.cpu_nanos else "cpu_quota"
        limit = f"{quota or 'max'} {period}" if period else str(quota)
        found.append(_one(named, "cpu.max", limit))
    if resources.cpuset_cpus:
        found.append(_one("cpuset", "cpuset.cpus", resources.cpuset_cpus))
    if resources.cpuset_mems:
        found.append(_one("cpuset", "cpuset.mems", resources.cpuset_mems))
    if resources.pids > 0:
        found.append(_one("pids_limit", "pids.max", resources.pids))
    return tuple(found)


def _memory(resources: Resources) -> tuple[Setting, ...]:
    found = []
    if resources.memory_bytes > 0:
        found.append(_one("mem_limit", "memory.max", resources.memory_bytes))
    both = memory_and_swap(resources.memory_bytes, resources.memory_swap_bytes)
    if both > 0:
        swap = max(0, both - resources.memory_bytes)
        found.append(_one("memswap_limit", "memory.swap.max", swap))
    if resources.memory_reservation_bytes > 0:
        found.append(_one("mem_reservation", "memory.low", resources.memory_reservation_bytes))
    return tuple(found)


def _io(resources: Resources, number_of: Callable[[str], DeviceNumber]) -> tuple[Setting, ...]:
    found = []
    if resources.blkio_weight:
        writes = (
            ("io.bfq.weight", str(resources.blkio_weight)),
            ("io.weight", str(io_weight(resources.blkio_weight))),
        )
        found.append(Setting("blkio_config.weight", "io", writes))
    for device, weight in per_device(resources.blkio_weight_device, number_of):
        writes = (
            ("io.bfq.weight", f"{device} {weight}"),
            ("io.weight", f"{device} {io_weight(weight)}"),
        )
        found.append(Setting("blkio_config.weight_device", "io", writes))
    for name, key, rates in (
        ("read_bps", "rbps", resources.blkio_read_bps),
        ("write_bps", "wbps", resources.blkio_write_bps),
        ("read_iops", "riops", resources.blkio_read_iops),
        ("write_iops", "wiops", resources.blkio_write_iops),
    ):
        for device, rate in per_device(rates, number_of):
            found.append(_one(f"blkio_config.device_{name}", "io.max", f"{device} {key}={rate}"))
    return tuple(found)
