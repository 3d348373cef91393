"""Limits that cannot be meant: refused, as the Docker Engine does, before anything is made. Pure.

moby daemon/daemon_unix.go `verifyPlatformContainerResources`. What depends on the machine, such as
the number of its CPUs, the kernel tells when the limit is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.container import Resources
    from orchestra.model.service import Service

_MIN_MEMORY = 6 << 20
"""Less is not enough to start a process in, says moby's `linuxMinMemory`."""


def check_limits(service: Service) -> None:
    """Raises ConfigError for the first limit of *service* that makes no sense."""
    for attribute, what, fix in _problems(service.resources):
        raise ConfigError(f'service "{service.name}": {what}', fix=fix).at(
            "services", service.name, attribute
        )


def check_resources(limits: Resources) -> None:
    """The same for *limits* of no service."""
    for _attribute, what, fix in _problems(limits):
        raise ConfigError(what, fix=fix)


def _problems(limits: Resources) -> Iterator[tuple[str, str, str]]:
    """(attribute, what is wrong, how to mend it)"""
    yield from _memory(limits)
    if limits.cpu_nanos and (limits.cpu_quota_us or limits.cpu_period_us):
        yield "cpus", "cpus and cpu_quota or cpu_period limit the same", "leave one of them out"
    if limits.cpu_period_us and not 1000 <= limits.cpu_period_us <= 1_000_000:
        yield "cpu_period", "cpu_period is out of its range", "use 1000 to 1000000 (microseconds)"
    if 0 < limits.cpu_quota_us < 1000:
        yield "cpu_quota", "cpu_quota is less than a millisecond", "use 1000 or more (microseconds)"
    if limits.blkio_weight and not 10 <= limits.blkio_weight <= 1000:
        yield "blkio_config", "the weight is out of its range", "use a weight from 10 to 1000"


def _memory(limits: Resources) -> Iterator[tuple[str, str, str]]:
    memory, both = limits.memory_bytes, limits.memory_swap_bytes
    least = "use 6m or more"
    if memory and memory < _MIN_MEMORY:  # -1 as well: only swap may be without a limit
        yield "mem_limit", "mem_limit is less than 6 MB", least
    if 0 < limits.memory_reservation_bytes < _MIN_MEMORY:
        yield "mem_reservation", "mem_reservation is less than 6 MB", least
    if both > 0 and not memory:
        yield "memswap_limit", "memswap_limit needs a mem_limit", "add mem_limit: memory alone"
    if 0 < both < memory:
        yield (
            "memswap_limit",
            "memswap_limit is less than mem_limit",
            "it counts memory and swap together: use at least as much",
        )
    if 0 < memory < limits.memory_reservation_bytes:
        yield "mem_reservation", "mem_reservation is more than mem_limit", "use no more than that"
    if not -1 <= limits.memory_swappiness <= 100:
        yield "mem_swappiness", "mem_swappiness is out of its range", "use 0 to 100"
