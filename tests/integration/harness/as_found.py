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
            if name != "processes":
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
    """Directories that orchestra made, in every hierarchy."""
    found: set[str] = set()
    for root, directories, _files in os.walk("/sys/fs/cgroup"):
        if "orchestra" in root or "orchestra" in " ".join(directories):
            found.update(
                os.path.join(root, name)
                for name in directories
                if "orchestra" in os.path.join(root, name)
            )
    return frozenset(found)


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
