from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.cgroup import limits_v1, limits_v2
from orchestra.cgroup.convert import (
    cpu_bandwidth,
    io_weight,
    memory_and_swap,
    weight_of_shares,
)
from orchestra.cgroup.disabled import NoManager
from orchestra.cgroup.settings import Setting, relative_path
from orchestra.errors import ConfigError, Unsupported
from orchestra.model.container import BlkioRate, Resources

MIB = 1 << 20


def number_of(path: str) -> tuple[int, int]:
    return {"/dev/sda": (8, 0), "/dev/sdb": (8, 16)}[path]


def v1(resources: Resources) -> dict[str, str]:
    return {s.writes[0][0]: s.writes[0][1] for s in limits_v1.settings(resources, number_of)}


def v2(resources: Resources) -> dict[str, str]:
    return {s.writes[0][0]: s.writes[0][1] for s in limits_v2.settings(resources, number_of)}


def test_no_limits_write_nothing() -> None:
    assert v1(Resources()) == {}
    assert v2(Resources()) == {}


def test_cpus_become_a_quota_of_a_tenth_of_a_second() -> None:
    resources = Resources(cpu_nanos=1_500_000_000)

    assert v1(resources) == {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "150000"}
    assert v2(resources) == {"cpu.max": "150000 100000"}


def test_quota_and_period_pass_through_and_one_alone_leaves_the_other_to_the_kernel() -> None:
    assert v2(Resources(cpu_quota_us=5000, cpu_period_us=10000)) == {"cpu.max": "5000 10000"}
    assert v2(Resources(cpu_period_us=10000)) == {"cpu.max": "max 10000"}
    assert v2(Resources(cpu_quota_us=5000)) == {"cpu.max": "5000"}
    assert v1(Resources(cpu_quota_us=5000)) == {"cpu.cfs_quota_us": "5000"}
    assert v1(Resources(cpu_quota_us=-1)) == {}


def test_a_tiny_share_of_a_cpu_stays_above_the_kernels_minimum() -> None:
    assert cpu_bandwidth(1, 0, 0) == (1000, 100_000)


@pytest.mark.parametrize(
    ("shares", "weight"), [(2, 1), (512, 59), (1024, 100), (2048, 174), (262_144, 10_000)]
)
def test_cpu_shares_become_a_weight_as_in_runc(shares: int, weight: int) -> None:
    assert weight_of_shares(shares) == weight


@given(st.integers(2, 262_144))
def test_weights_are_valid_and_grow_with_shares(shares: int) -> None:
    assert 1 <= weight_of_shares(shares) <= weight_of_shares(shares + 1) <= 10_000


def test_blkio_weights_span_the_range_of_io_weights() -> None:
    assert (io_weight(10), io_weight(1000)) == (1, 10_000)


def test_memory_alone_allows_as_much_swap() -> None:
    resources = Resources(memory_bytes=100 * MIB)

    assert v1(resources) == {
        "memory.limit_in_bytes": str(100 * MIB),
        "memory.memsw.limit_in_bytes": str(200 * MIB),
    }
    assert v2(resources) == {
        "memory.max": str(100 * MIB),
        "memory.swap.max": str(100 * MIB),
    }


def test_memory_plus_swap_is_one_figure_in_v1_and_swap_alone_in_v2() -> None:
    resources = Resources(memory_bytes=100 * MIB, memory_swap_bytes=130 * MIB)

    assert v1(resources)["memory.memsw.limit_in_bytes"] == str(130 * MIB)
    assert v2(resources)["memory.swap.max"] == str(30 * MIB)


def test_no_swap_at_all() -> None:
    resources = Resources(memory_bytes=100 * MIB, memory_swap_bytes=100 * MIB)

    assert v2(resources)["memory.swap.max"] == "0"


def test_unlimited_swap_is_left_to_the_kernel() -> None:
    resources = Resources(memory_bytes=100 * MIB, memory_swap_bytes=-1)

    assert memory_and_swap(100 * MIB, -1) == -1
    assert "memory.memsw.limit_in_bytes" not in v1(resources)
    assert "memory.swap.max" not in v2(resources)


UNLIMITED = 1 << 63
SIZES = st.sampled_from([64 * MIB, 100 * MIB, 128 * MIB, 200 * MIB, UNLIMITED])


@given(st.tuples(SIZES, SIZES), st.tuples(SIZES, SIZES))
def test_at_no_step_of_a_change_v1_memory_is_more_than_both(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    """Else the kernel says EINVAL: mm/memcontrol-v1.c `mem_cgroup_resize_max`."""
    memory, both = sorted(before)
    wanted, wanted_both = sorted(after)
    if wanted == UNLIMITED:
        return  # no limit is written
    resources = Resources(
        memory_bytes=wanted, memory_swap_bytes=-1 if wanted_both == UNLIMITED else wanted_both
    )
    for setting in limits_v1.changes(resources, number_of, present_both=both):
        ((file, text),) = setting.writes
        value = UNLIMITED if text == "-1" else text
        if file == "memory.limit_in_bytes":
            memory = int(value)
        elif file == "memory.memsw.limit_in_bytes":
            both = int(value)
        assert memory <= both, setting
    assert (memory, both) == (wanted, wanted_both)


def test_a_change_lifts_limits_and_a_new_cgroup_has_none_to_lift() -> None:
    free = Resources(memory_swap_bytes=-1, memory_reservation_bytes=-1, cpu_quota_us=-1, pids=-1)

    def written(settings: tuple[Setting, ...]) -> list[tuple[str, str]]:
        return [write for setting in settings for write in setting.writes]

    assert written(limits_v1.changes(free, number_of, present_both=64 * MIB)) == [
        ("memory.memsw.limit_in_bytes", "-1"),
        ("memory.soft_limit_in_bytes", "-1"),
        ("cpu.cfs_quota_us", "-1"),
        ("pids.max", "max"),
    ]
    assert written(limits_v2.changes(free, number_of)) == [
        ("memory.swap.max", "max"),
        ("memory.low", "0"),
        ("cpu.max", "max"),
        ("pids.max", "max"),
    ]
    assert v1(free) == v2(free) == {}


def test_the_rest_of_memory_cpuset_and_pids() -> None:
    resources = Resources(
        memory_reservation_bytes=MIB,
        memory_swappiness=0,
        oom_kill_disable=True,
        cpuset_cpus="0-1",
        cpuset_mems="0",
        pids=7,
    )

    assert v1(resources) == {
        "cpuset.cpus": "0-1",
        "cpuset.mems": "0",
        "memory.soft_limit_in_bytes": str(MIB),
        "memory.swappiness": "0",
        "memory.oom_control": "1",
        "pids.max": "7",
    }
    assert v2(resources) == {
        "cpuset.cpus": "0-1",
        "cpuset.mems": "0",
        "pids.max": "7",
        "memory.low": str(MIB),
    }
    assert limits_v2.unsupported(resources) == ("mem_swappiness", "oom_kill_disable")


def test_throttles_name_devices_by_number() -> None:
    resources = Resources(
        blkio_weight=500,
        blkio_weight_device=(BlkioRate(path="/dev/sda", rate=400),),
        blkio_read_bps=(BlkioRate(path="/dev/sda", rate=1), BlkioRate(path="/dev/sdb", rate=2)),
        blkio_write_iops=(BlkioRate(path="/dev/sdb", rate=3),),
    )
    in_v1 = [write for s in limits_v1.settings(resources, number_of) for write in s.writes]
    in_v2 = [write for s in limits_v2.settings(resources, number_of) for write in s.writes]

    assert ("blkio.throttle.read_bps_device", "8:16 2") in in_v1
    assert ("blkio.throttle.write_iops_device", "8:16 3") in in_v1
    assert ("blkio.bfq.weight_device", "8:0 400") in in_v1
    assert ("io.max", "8:0 rbps=1") in in_v2
    assert ("io.max", "8:16 wiops=3") in in_v2
    assert ("io.bfq.weight", "500") in in_v2
    assert ("io.weight", "4950") in in_v2


def test_realtime_is_v1_only() -> None:
    resources = Resources(cpu_rt_runtime_us=1000, cpu_rt_period_us=10000)

    assert list(v1(resources)) == ["cpu.rt_period_us", "cpu.rt_runtime_us"]
    assert limits_v2.unsupported(resources) == ("cpu_rt_runtime", "cpu_rt_period")


def test_the_users_parent_replaces_ours() -> None:
    assert relative_path("web/abc", "") == "orchestra/web/abc"
    assert relative_path("web/abc", "/batch/low") == "batch/low/abc"


@pytest.mark.parametrize("parent", ["..", "/a/../../b", "/"])
def test_a_parent_outside_of_the_hierarchy_is_refused(parent: str) -> None:
    with pytest.raises(ConfigError, match="cgroup_parent"):
        relative_path("web/abc", parent)


def test_without_cgroups_each_limit_is_named_once() -> None:
    manager = NoManager("nobody may")
    resources = Resources(memory_bytes=MIB, cpu_nanos=10**9, memory_swappiness=3, pids=5)

    assert manager.warnings(resources) == (
        "cpus is ignored: nobody may",
        "mem_limit is ignored: nobody may",
        "memswap_limit is ignored: nobody may",
        "mem_swappiness is ignored: nobody may",
        "pids_limit is ignored: nobody may",
    )
    assert manager.warnings(Resources()) == ()


def test_without_cgroups_pausing_is_refused() -> None:
    scope = NoManager("x").create("web/abc", Resources(), (), privileged=False)

    with pytest.raises(Unsupported):
        scope.freeze()
