"""Limits that the Docker Engine refuses, too, and those at their edges, which it takes."""

from __future__ import annotations

import pytest

from orchestra.errors import ConfigError
from orchestra.model.container import Resources
from orchestra.plan.limits import check_limits
from tests.unit.plan.projects import service

MIB = 1 << 20


@pytest.mark.parametrize(
    ("limits", "attribute"),
    [
        (Resources(memory_bytes=4 * MIB), "mem_limit"),
        (Resources(memory_reservation_bytes=MIB), "mem_reservation"),
        (Resources(memory_bytes=-1), "mem_limit"),
        (Resources(memory_swap_bytes=10 * MIB), "memswap_limit"),
        (Resources(memory_bytes=20 * MIB, memory_swap_bytes=10 * MIB), "memswap_limit"),
        (
            Resources(memory_bytes=20 * MIB, memory_reservation_bytes=30 * MIB),
            "mem_reservation",
        ),
        (Resources(memory_swappiness=101), "mem_swappiness"),
        (Resources(cpu_nanos=500_000_000, cpu_quota_us=1000), "cpus"),
        (Resources(cpu_period_us=999), "cpu_period"),
        (Resources(cpu_quota_us=999), "cpu_quota"),
        (Resources(blkio_weight=9), "blkio_config"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_attribute(
    limits: Resources, attribute: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_limits(service("web", resources=limits))
    assert caught.value.path == ("services", "web", attribute)
    assert caught.value.fix


@pytest.mark.parametrize(
    "limits",
    [
        Resources(),
        Resources(memory_bytes=6 * MIB, memory_swap_bytes=6 * MIB),
        Resources(memory_bytes=6 * MIB, memory_swap_bytes=-1, memory_swappiness=0),
        Resources(memory_reservation_bytes=6 * MIB, blkio_weight=10, cpu_shares=1),
        Resources(cpu_quota_us=-1, cpu_period_us=1000),
    ],
)
def test_the_rest_is_taken(limits: Resources) -> None:
    check_limits(service("web", resources=limits))
