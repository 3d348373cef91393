"""`container update`: limits of a running container change at once, its policy from then on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.eventually import eventually

if TYPE_CHECKING:
    from tests.support.scenario import Orchestra

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.cgroup1]

FILES = (
    ("memory", "memory.limit_in_bytes"),
    ("pids", "pids.max"),
    ("cpu", "cpu.cfs_quota_us"),  # of 100,000
)


def limits(orchestra: Orchestra) -> list[str]:
    """What FILES say in the cgroups that the container's first process is in."""
    pid = json.loads(orchestra("container", "inspect", "box").out)[0]["State"]["Pid"]
    with open(f"/proc/{pid}/cgroup") as file:
        lines = [line.rstrip().split(":", 2) for line in file]
    found = []
    for controller, name in FILES:
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
