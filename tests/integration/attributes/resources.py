"""Cases: limits, as the files of cgroup v1 tell them inside."""

from __future__ import annotations

import os

from tests.integration.attributes.case import Case


def _disk() -> str:
    """A block device that can be throttled, as a path."""
    names = sorted(os.listdir("/sys/block"), key=lambda name: name.startswith(("loop", "ram")))
    return next((f"/dev/{name}" for name in names if os.path.exists(f"/dev/{name}")), "/dev/loop0")


_DISK = _disk()
_AT = "cd /sys/fs/cgroup; "


def _tell(*files: str) -> str:
    return _AT + "cat " + " ".join(files)


CASES = (
    Case(
        "cpus", "cpus: 0.5", _tell("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"), "50000\n100000"
    ),
    Case("cpu-shares", "cpu_shares: 512", _tell("cpu/cpu.shares"), "512"),
    Case(
        "cpu-quota",
        "cpu_quota: 25000\ncpu_period: 50000",
        _tell("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"),
        "25000\n50000",
    ),
    Case("cpuset", 'cpuset: "0"', _tell("cpuset/cpuset.cpus"), "0"),
    Case(
        "mem-limit",
        "mem_limit: 64m",
        _tell("memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes"),
        None,
    ),
    Case(
        "memswap",
        "mem_limit: 64m\nmemswap_limit: 96m",
        _tell("memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes"),
        "67108864\n100663296",
    ),
    Case(
        "memswap-unlimited",
        "mem_limit: 64m\nmemswap_limit: -1",
        _tell("memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes"),
        None,
    ),
    Case(
        "mem-reservation",
        "mem_reservation: 32m",
        _tell("memory/memory.soft_limit_in_bytes"),
        "33554432",
    ),
    Case("mem-swappiness", "mem_swappiness: 10", _tell("memory/memory.swappiness"), "10"),
    Case(
        "oom-kill-disable",
        "mem_limit: 64m\noom_kill_disable: true",
        _tell("memory/memory.oom_control"),
        None,
    ),
    Case("pids-limit", "pids_limit: 77", _tell("pids/pids.max"), "77"),
    Case("pids-unlimited", "pids_limit: -1", _tell("pids/pids.max"), "max"),
    Case(
        "blkio",
        f"blkio_config:\n  weight: 300\n  device_read_bps: [{{path: {_DISK}, rate: 1mb}}]\n"
        f"  device_write_bps: [{{path: {_DISK}, rate: 2mb}}]\n"
        f"  device_read_iops: [{{path: {_DISK}, rate: 100}}]\n"
        f"  device_write_iops: [{{path: {_DISK}, rate: 200}}]",
        _tell(
            "blkio/blkio.throttle.read_bps_device",
            "blkio/blkio.throttle.write_bps_device",
            "blkio/blkio.throttle.read_iops_device",
            "blkio/blkio.throttle.write_iops_device",
        ),
        None,
    ),
    Case(
        "deploy-limits",
        'deploy: {resources: {limits: {cpus: "0.25", memory: 48m, pids: 66}, '
        "reservations: {memory: 24m}}}",
        _tell(
            "cpu/cpu.cfs_quota_us",
            "memory/memory.limit_in_bytes",
            "pids/pids.max",
            "memory/memory.soft_limit_in_bytes",
        ),
        None,
    ),
)
