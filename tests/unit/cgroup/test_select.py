from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestra.cgroup.disabled import NoManager
from orchestra.cgroup.select import CgroupMounts, parse_mounts, select_manager
from orchestra.cgroup.v1 import V1Manager
from orchestra.cgroup.v2 import V2Manager
from orchestra.model.container import Resources

if TYPE_CHECKING:
    from pathlib import Path

V2_LINE = "31 23 0:28 / {0} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_LINE = "36 31 0:33 / {0} rw,relatime shared:17 - cgroup cgroup rw,{1}\n"


def test_co_mounted_controllers_share_their_mount_point() -> None:
    text = V1_LINE.format("/cg/both", "cpu,cpuacct") + V1_LINE.format("/cg/x", "net_cls")

    assert parse_mounts(text) == CgroupMounts("", {"cpu": "/cg/both", "cpuacct": "/cg/both"})


def test_systemds_own_hierarchy_counts_and_other_named_ones_do_not() -> None:
    text = V1_LINE.format("/cg/sd", "xattr,name=systemd") + V1_LINE.format("/cg/x", "name=x")

    assert parse_mounts(text) == CgroupMounts("", {"name=systemd": "/cg/sd"})


def test_the_first_of_two_mounts_counts() -> None:
    text = V2_LINE.format("/sys/fs/cgroup") + V2_LINE.format("/elsewhere")

    assert parse_mounts(text).unified == "/sys/fs/cgroup"


@pytest.fixture
def mountinfo(tmp_path: Path) -> Path:
    for name in ("unified", "freezer", "memory", "pids"):
        (tmp_path / name).mkdir()
    for name in ("cgroup.subtree_control", "cgroup.procs"):
        (tmp_path / "unified" / name).touch()
    return tmp_path / "mountinfo"


def v2_offers(mountinfo: Path, controllers: str) -> str:
    (mountinfo.parent / "unified/cgroup.controllers").write_text(controllers)
    return V2_LINE.format(mountinfo.parent / "unified")


def v1_has(mountinfo: Path, *controllers: str) -> str:
    return "".join(V1_LINE.format(mountinfo.parent / name, name) for name in controllers)


def test_pure_v2_is_chosen(mountinfo: Path) -> None:
    mountinfo.write_text(v2_offers(mountinfo, "cpu io memory pids\n"))

    assert isinstance(select_manager(str(mountinfo)), V2Manager)


def test_a_hybrid_host_is_v1(mountinfo: Path) -> None:
    mountinfo.write_text(v1_has(mountinfo, "freezer", "memory") + v2_offers(mountinfo, "\n"))

    assert isinstance(select_manager(str(mountinfo)), V1Manager)


def test_a_container_leaves_systemds_tree_on_a_hybrid_host(mountinfo: Path) -> None:
    """Or it would end with the service that started it."""
    mountinfo.write_text(v1_has(mountinfo, "freezer") + v2_offers(mountinfo, "\n"))
    (mountinfo.parent / "unified/init.scope").mkdir()
    scope = select_manager(str(mountinfo)).create("web/abc", Resources(), (), privileged=True)
    entered = mountinfo.parent / "unified/orchestra/web/abc/cgroup.procs"
    for file in (entered, mountinfo.parent / "freezer/orchestra/web/abc/tasks"):
        file.touch()

    scope.enter()

    assert entered.read_text() == "0"


def test_no_hierarchy_ignores_limits_and_says_so(mountinfo: Path) -> None:
    mountinfo.write_text("")

    assert isinstance(select_manager(str(mountinfo)), NoManager)
