"""What a test must leave as it found it: mounts, links, firewall, cgroups, processes."""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple


class Found(NamedTuple):
    """A snapshot; two of them are compared field by field."""

    mounts: frozenset[str]
    links: frozenset[str]
    firewall: str
    cgroups: frozenset[str]
    processes: frozenset[str]

    def leaks_since(self, before: Found) -> list[str]:
        """One line for each thing that is there now and was not *before*, or the reverse."""
        lines: list[str] = []
        for name in ("mounts", "links", "cgroups", "processes"):
            was, now = getattr(before, name), getattr(self, name)
            lines += [f"{name}: left behind: {item}" for item in sorted(now - was)]
            if name not in ("processes", "cgroups"):
                lines += [f"{name}: gone: {item}" for item in sorted(was - now)]
        if self.firewall != before.firewall:
            lines.append(f"nftables changed from\n{before.firewall}\nto\n{self.firewall}")
        return lines


def look() -> Found:
    """Take the snapshot, of this process's namespaces and of what descends from it."""
    return Found(_mounts(), _links(), _firewall(), _cgroups(), _processes())


def _mounts() -> frozenset[str]:
    with open("/proc/self/mountinfo") as file:
        return frozenset(" ".join(line.split()[3:5]) for line in file)


def _links() -> frozenset[str]:
    with open("/proc/net/dev") as file:
        return frozenset(line.split(":")[0].strip() for line in file if ":" in line)


def _firewall() -> str:
    done = subprocess.run(
        ["nft", "--stateless", "list", "ruleset"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.stdout


def _cgroups() -> frozenset[str]:
    """Directories of orchestra without a process in or below them, in every hierarchy.

    Those with processes are left to the comparison of processes: hierarchies are shared by the
    whole machine, on which other tests may run. For the same reason the parent of all projects,
    `orchestra`, which comes with the first and goes with the last of them, does not count.
    """
    found: set[str] = set()
    for root, _directories, files in os.walk("/sys/fs/cgroup", topdown=False):
        if "/orchestra/" in root and "cgroup.procs" in files and not _populated(root):
            found.add(root)
    return frozenset(found)


def _populated(directory: str) -> bool:
    for root, _directories, _files in os.walk(directory):
        try:
            with open(os.path.join(root, "cgroup.procs")) as file:
                if file.read(1):
                    return True
        except OSError:
            continue
    return False


def _processes() -> frozenset[str]:
    """Every other process in this process's mount or network namespace, and its own children.

    Containers have namespaces of their own, but their supervisor and reaper have not.
    """
    mine = {_namespace("self", "mnt"), _namespace("self", "net")}
    found: set[str] = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        if mine & {_namespace(pid, "mnt"), _namespace(pid, "net")}:
            found.add(f"{pid} {_command(pid)}")
    return frozenset(found)


def _namespace(pid: str, kind: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return f"{pid} is gone"


def _command(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "(gone)"
