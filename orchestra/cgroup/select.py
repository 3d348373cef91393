"""Chooses the CgroupManager of this host, once, from what is mounted and may be written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.cgroup.settings import SYSTEMD, UNIFIED
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.cgroup.base import CgroupManager

_V1_CONTROLLERS = frozenset(
    {"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids", SYSTEMD}
)
_V2_NEEDED = frozenset({"memory", "pids"})


class CgroupMounts(NamedTuple):
    """What is mounted: the v2 hierarchy ("" if none) and v1 controllers with their mount points."""

    unified: str
    v1: dict[str, str]


def parse_mounts(mountinfo: str) -> CgroupMounts:
    """The cgroup mounts in *mountinfo*; proc(5). Of several mounts of a thing the first counts."""
    unified = ""
    v1: dict[str, str] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(" "), right.split(" ")
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2":
            unified = unified or fields[4]
        elif kind[0] == "cgroup":
            for controller in _V1_CONTROLLERS.intersection(kind[2].split(",")):
                v1.setdefault(controller, fields[4])
    return CgroupMounts(unified, v1)


def select_manager(mountinfo_path: str = "/proc/self/mountinfo") -> CgroupManager:
    """The manager for this host and user.

    v2 where its hierarchy has the controllers, v1 where they are mounted one by one (also "hybrid"
    hosts, whose v2 hierarchy is empty), and one that ignores limits where none may be written.
    """
    with open(mountinfo_path, encoding="utf-8", errors="surrogateescape") as file:
        mounts = parse_mounts(file.read())
    offered = _controllers(mounts.unified) if mounts.unified else frozenset()
    if offered >= _V2_NEEDED and not mounts.v1.keys() & _V2_NEEDED:
        return _v2(mounts.unified, offered)
    writable = {name: path for name, path in mounts.v1.items() if os.access(path, os.W_OK)}
    if "freezer" in writable:
        if os.path.isdir(f"{mounts.unified}/init.scope"):  # systemd keeps its processes there
            writable[UNIFIED] = mounts.unified
        from orchestra.cgroup.v1 import V1Manager

        return V1Manager(writable)
    return _none("no cgroup hierarchy of this host may be written")


def _v2(mount: str, controllers: frozenset[str]) -> CgroupManager:
    from orchestra.cgroup.v2 import V2Manager

    if _is_ours(mount):
        return V2Manager(mount, controllers)
    from orchestra.cgroup.delegated import delegated_root, own_path

    root = delegated_root(mount, own_path(_read("/proc/self/cgroup")), _is_ours)
    if not root:
        return _none("no part of the cgroup hierarchy is delegated to this user")
    return V2Manager(root, _controllers(root), limits_devices=False)


def _is_ours(cgroup: str) -> bool:
    """May this user make cgroups below *cgroup* and move processes into them?"""
    files = (cgroup, f"{cgroup}/cgroup.procs", f"{cgroup}/cgroup.subtree_control")
    return all(os.access(file, os.W_OK) for file in files)


def _none(reason: str) -> CgroupManager:
    from orchestra.cgroup.disabled import NoManager

    return NoManager(reason)


def _controllers(cgroup: str) -> frozenset[str]:
    return frozenset(_read(f"{cgroup}/cgroup.controllers").split())


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
