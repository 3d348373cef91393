"""What this machine offers to tests: for each marker, why its tests cannot run here."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

from tests.support.docker_engine import why_no_engine

CAP_SYS_ADMIN, CAP_NET_ADMIN = 21, 12


def missing_for(marker: str) -> str:
    """The reason to skip tests with *marker*; "" when they can run."""
    check = _CHECKS.get(marker)
    return check() if check is not None else ""


@cache
def _root() -> str:
    if os.geteuid() != 0:
        return "needs root"
    return "" if _has_capability(CAP_SYS_ADMIN) else "needs CAP_SYS_ADMIN"


@cache
def _network() -> str:
    if _root():
        return _root()
    if not _has_capability(CAP_NET_ADMIN):
        return "needs CAP_NET_ADMIN"
    for tool in ("ip", "nft"):
        if shutil.which(tool) is None:
            return f"needs the program {tool}"
    return ""


@cache
def _userns() -> str:
    command = ["unshare", "--user", "--map-root-user", "true"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    return "" if done.returncode == 0 else "needs unprivileged user namespaces"


@cache
def _cgroup1() -> str:
    with open("/proc/self/mountinfo") as file:
        has_memory = any(" - cgroup " in line and "memory" in line for line in file)
    return "" if has_memory else "needs cgroup v1 controllers"


@cache
def _cgroup2() -> str:
    try:
        with open("/sys/fs/cgroup/cgroup.controllers") as file:
            controllers = file.read().split()
    except OSError:
        return "needs a cgroup v2 hierarchy at /sys/fs/cgroup"
    return "" if "memory" in controllers else "needs the cgroup v2 memory controller"


@cache
def _docker() -> str:
    return why_no_engine() or ""


def _has_capability(number: int) -> bool:
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> number & 1)


_CHECKS = {
    "root": _root,
    "network": _network,
    "userns": _userns,
    "cgroup1": _cgroup1,
    "cgroup2": _cgroup2,
    "docker": _docker,
}
