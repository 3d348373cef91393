"""Docker's figures in the kernel's units: pure arithmetic, both cgroup versions."""

from __future__ import annotations

import math

CPU_PERIOD_US = 100_000
"""Docker's period for `cpus`."""

_MIN_SHARES, _MAX_SHARES = 2, 262_144
_MAX_WEIGHT = 10_000
_MIN_BLKIO, _MAX_BLKIO = 10, 1000


def cpu_bandwidth(cpu_nanos: int, quota_us: int, period_us: int) -> tuple[int, int]:
    """(quota, period) in microseconds; 0 where the kernel's default stays.

    *cpu_nanos* (billionths of a CPU) wins over *quota_us* and *period_us*.
    """
    if cpu_nanos > 0:
        return max(1000, cpu_nanos * CPU_PERIOD_US // 1_000_000_000), CPU_PERIOD_US
    return max(0, quota_us), max(0, period_us)


def weight_of_shares(shares: int) -> int:
    """cpu.weight for cpu.shares: 2 → 1, 1024 → 100, 262144 → 10000.

    The curve that runc and crun agreed on in 2025; the straight line of before made 1024 a 39.
    """
    if shares <= _MIN_SHARES:
        return 1
    if shares >= _MAX_SHARES:
        return _MAX_WEIGHT
    power = math.log2(shares)
    return math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))


def io_weight(blkio_weight: int) -> int:
    """io.weight (1 … 10000) for blkio.weight (10 … 1000)."""
    return 1 + (blkio_weight - _MIN_BLKIO) * (_MAX_WEIGHT - 1) // (_MAX_BLKIO - _MIN_BLKIO)


def memory_and_swap(memory_bytes: int, memory_swap_bytes: int) -> int:
    """The limit of memory plus swap: -1 is none, 0 is "leave it".

    Docker allows as much swap as memory when only the memory is limited.
    """
    if memory_bytes <= 0 or memory_swap_bytes < 0:
        return min(0, memory_swap_bytes)
    return memory_swap_bytes or 2 * memory_bytes
