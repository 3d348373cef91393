"""`container update`: limits of a running container change at once, its policy from then on."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.cgroup1]

MIB = 1 << 20
BOTH = "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"
NO_LIMIT = (1 << 63) - 4096  # a counter of pages
FILES = (
    ("memory", "memory.limit_in_bytes"),
    ("pids", "pids.max"),
    ("cpu", "cpu.cfs_quota_us"),  # of 100,000
)


def limits(orchestra: Orchestra, files: tuple[tuple[str, str], ...] = FILES) -> list[str]:
    """What *files* say in the cgroups that the container's first process is in."""
    pid = json.loads(orchestra("container", "inspect", "box").out)[0]["State"]["Pid"]
    with open(f"/proc/{pid}/cgroup") as file:
        lines = [line.rstrip().split(":", 2) for line in file]
    found = []
    for controller, name in files:
        (path,) = (path for _, names, path in lines if controller in names.split(","))
        with open(f"/sys/fs/cgroup/{controller}{path}/{name}") as file:
            found.append(file.read().strip())
    return found


def test_limits_change_while_it_runs_and_last(orchestra: Orchestra) -> None:
    orchestra("container", "run", "-d", "--name", "box", "-m", "64m", "host", "sleep", "600")
    assert limits(orchestra)[0] == str(64 << 20)
    flags = ("-m", "256m", "--pids-limit", "99", "--cpus", "0.5")
    assert orchestra("container", "update", *flags, "box").out == "box\n"
    assert limits(orchestra) == [str(256 << 20), "99", "50000"]
    orchestra("container", "update", "-m", "32m", "box")
    assert limits(orchestra) == [str(32 << 20), "99", "50000"]
    orchestra("container", "restart", "-t", "0", "box")
    assert limits(orchestra) == [str(32 << 20), "99", "50000"]
    told = json.loads(orchestra("container", "inspect", "box").out)[0]["HostConfig"]
    assert (told["Memory"], told["NanoCpus"], told["PidsLimit"]) == (32 << 20, 500_000_000, 99)


@pytest.mark.skipif(not os.path.exists(BOTH), reason="this kernel does not count swap")
def test_memory_and_swap_grow_and_shrink_in_an_order_that_the_kernel_takes(
    orchestra: Orchestra,
) -> None:
    orchestra(
        "container", "run", "-d", "--name", "box", "-m", "64m", "--memory-swap", "64m",
        "host", "sleep", "600",
    )  # fmt: skip
    for memory, both, told in (
        ("256m", "-1", (256 * MIB, NO_LIMIT)),
        ("128m", "128m", (128 * MIB, 128 * MIB)),
        ("200m", "300m", (200 * MIB, 300 * MIB)),
        ("64m", "100m", (64 * MIB, 100 * MIB)),
        ("0", "-1", (64 * MIB, NO_LIMIT)),
    ):
        orchestra("container", "update", "-m", memory, "--memory-swap", both, "box")
        files = (FILES[0], ("memory", "memory.memsw.limit_in_bytes"))
        assert limits(orchestra, files) == [str(size) for size in told]


def test_limits_are_lifted_and_zero_leaves_them(orchestra: Orchestra) -> None:
    flags = ("--pids-limit", "99", "--cpus", "0.5", "-m", "64m")
    orchestra("container", "run", "-d", "--name", "box", *flags, "host", "sleep", "600")
    orchestra("container", "update", "--cpus", "0", "-m", "0", "--pids-limit", "0", "box")
    assert limits(orchestra) == [str(64 * MIB), "99", "50000"]
    orchestra("container", "update", "--cpu-quota", "-1", "--pids-limit", "-1", "box")
    assert limits(orchestra) == [str(64 * MIB), "max", "-1"]


def test_the_restart_policy_counts_from_the_next_end(orchestra: Orchestra) -> None:
    orchestra("container", "run", "-d", "--name", "box", "host", "sh", "-c", "sleep 1; exit 3")
    orchestra("container", "update", "--restart", "on-failure:1", "box")

    def has_ended_twice() -> bool:
        told = json.loads(orchestra("container", "inspect", "box").out)[0]
        return (told["RestartCount"], told["State"]["Status"]) == (1, "exited")

    eventually(has_ended_twice, within_s=20)


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (("--memory", "5m"), "less than 6 MB"),
        (("--memory", "-1"), "less than 6 MB"),
        (("--memory", "much"), 'invalid argument "much" for --memory'),
        (("--cpus", "inf"), 'invalid argument "inf" for --cpus'),
        (("--restart", "often"), 'invalid restart policy "often"'),
        ((), "you must provide one or more flags"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    orchestra: Orchestra, flags: tuple[str, ...], what: str
) -> None:
    orchestra("container", "create", "--name", "box", "-m", "64m", "host", "true")
    before = orchestra("container", "inspect", "box").out
    failed = orchestra("container", "update", *flags, "box", code=None)
    assert what in failed.err
    assert failed.code != 0
    assert orchestra("container", "inspect", "box").out == before


def test_a_container_that_is_not_there_spares_no_other(orchestra: Orchestra) -> None:
    orchestra("container", "create", "--name", "box", "host", "true")
    done = orchestra("container", "update", "-m", "64m", "none", "box", code=None)
    assert done.out == "box\n"
    assert "none" in done.err
    assert done.code != 0
