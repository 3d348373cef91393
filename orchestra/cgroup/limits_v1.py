"""Resources as files of the v1 controllers. Kernel: admin-guide/cgroup-v1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cgroup import tree
from orchestra.cgroup.convert import cpu_bandwidth, memory_and_swap
from orchestra.cgroup.settings import DeviceNumber, Setting, per_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import Resources

_MEMORY_AND_SWAP = "memory.memsw.limit_in_bytes"


def settings(resources: Resources, number_of: Callable[[str], DeviceNumber]) -> tuple[Setting, ...]:
    """What to write, in order; *number_of* gives a device path's major and minor."""
    return (
        _cpu(resources) + _cpuset(resources) + _memory(resources) + _pids(resources)
        + _blkio(resources, number_of)
    )  # fmt: skip


def changes(
    resources: Resources, number_of: Callable[[str], DeviceNumber], *, present_both: int
) -> tuple[Setting, ...]:
    """The same for a cgroup that has limits, among them *present_both* bytes of memory and swap.

    What lifts a limit is written too. The kernel refuses each step after which memory alone might
    take more than both together: what both may take goes first where it grows.
    """
    wanted = (*_lifted(resources), *settings(resources, number_of))
    both = memory_and_swap(resources.memory_bytes, resources.memory_swap_bytes)
    if both <= present_both:
        return wanted
    return tuple(sorted(wanted, key=lambda one: one.attribute != "memswap_limit"))


def _lifted(resources: Resources) -> tuple[Setting, ...]:
    """A new cgroup has none of these limits; one that has loses it."""
    found = []
    if resources.memory_swap_bytes < 0:
        found.append(_one("memswap_limit", "memory", _MEMORY_AND_SWAP, -1))
    if resources.memory_reservation_bytes < 0:
        found.append(_one("mem_reservation", "memory", "memory.soft_limit_in_bytes", -1))
    if resources.cpu_quota_us < 0:
        found.append(_one("cpu_quota", "cpu", "cpu.cfs_quota_us", -1))
    if resources.pids < 0:
        found.append(_one("pids_limit", "pids", "pids.max", "max"))
    return tuple(found)


def present_memory_and_swap(memory_cgroup: str) -> int:
    """Bytes that *memory_cgroup* may take of both together; 0 where this kernel does not count."""
    return tree.read_int(f"{memory_cgroup}/{_MEMORY_AND_SWAP}")


def _one(attribute: str, controller: str, file: str, value: int | str) -> Setting:
    return Setting(attribute, controller, ((file, str(value)),))


def _cpu(resources: Resources) -> tuple[Setting, ...]:
    found = []
    if resources.cpu_shares > 0:
        found.append(_one("cpu_shares", "cpu", "cpu.shares", max(2, resources.cpu_shares)))
    quota, period = cpu_bandwidth(
        resources.cpu_nanos, resources.cpu_quota_us, resources.cpu_period_us
    )
    named = "cpus" if resources.cpu_nanos else "cpu_quota"
    if period:
        found.append(_one(named, "cpu", "cpu.cfs_period_us", period))
    if quota:
        found.append(_one(named, "cpu", "cpu.cfs_quota_us", quota))
    if resources.cpu_rt_period_us:
        found.append(_one("cpu_rt_period", "cpu", "cpu.rt_period_us", resources.cpu_rt_period_us))
    if resources.cpu_rt_runtime_us:
        found.append(
            _one("cpu_rt_runtime", "cpu", "cpu.rt_runtime_us", resources.cpu_rt_runtime_us)
        )
    return tuple(found)


def _cpuset(resources: Resources) -> tuple[Setting, ...]:
    found = []
    if resources.cpuset_cpus:
        found.append(_one("cpuset", "cpuset", "cpuset.cpus", resources.cpuset_cpus))
    if resources.cpuset_mems:
        found.append(_one("cpuset", "cpuset", "cpuset.mems", resources.cpuset_mems))
    return tuple(found)


def _memory(resources: Resources) -> tuple[Setting, ...]:
    found = []
    if resources.memory_bytes > 0:
        found.append(_one("mem_limit", "memory", "memory.limit_in_bytes", resources.memory_bytes))
    both = memory_and_swap(resources.memory_bytes, resources.memory_swap_bytes)
    if both > 0:
        found.append(_one("memswap_limit", "memory", _MEMORY_AND_SWAP, both))
    if resources.memory_reservation_bytes > 0:
        found.append(
            _one(
                "mem_reservation", "memory", "memory.soft_limit_in_bytes",
                resources.memory_reservation_bytes,
            )
        )  # fmt: skip
    if resources.memory_swappiness >= 0:
        found.append(
            _one("mem_swappiness", "memory", "memory.swappiness", resources.memory_swappiness)
        )
    if resources.oom_kill_disable:
        found.append(_one("oom_kill_disable", "memory", "memory.oom_control", 1))
    return tuple(found)


def _pids(resources: Resources) -> tuple[Setting, ...]:
    if resources.pids <= 0:
        return ()
    return (_one("pids_limit", "pids", "pids.max", resources.pids),)


def _blkio(resources: Resources, number_of: Callable[[str], DeviceNumber]) -> tuple[Setting, ...]:
    found = []
    if resources.blkio_weight:
        weight = str(resources.blkio_weight)
        writes = (("blkio.weight", weight), ("blkio.bfq.weight", weight))
        found.append(Setting("blkio_config.weight", "blkio", writes))
    for device, rate in per_device(resources.blkio_weight_device, number_of):
        value = f"{device} {rate}"
        writes = (("blkio.weight_device", value), ("blkio.bfq.weight_device", value))
        found.append(Setting("blkio_config.weight_device", "blkio", writes))
    for name, rates in (
        ("read_bps", resources.blkio_read_bps),
        ("write_bps", resources.blkio_write_bps),
        ("read_iops", resources.blkio_read_iops),
        ("write_iops", resources.blkio_write_iops),
    ):
        for device, rate in per_device(rates, number_of):
            file = f"blkio.throttle.{name}_device"
            found.append(_one(f"blkio_config.device_{name}", "blkio", file, f"{device} {rate}"))
    return tuple(found)
