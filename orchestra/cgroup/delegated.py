"""Finds the part of the cgroup v2 tree that belongs to a plain user: what systemd delegated.

`user@UID.service` and what is below it belong to the user on systemd hosts. A process can be moved
only within that part, so it is of use only to those started in it (a desktop's terminals, user
services, `systemd-run --user --scope`), not to a login by ssh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def own_path(proc_cgroup: str) -> str:
    """The v2 cgroup in the text of /proc/PID/cgroup: "/user.slice/…"; "" without v2."""
    for line in proc_cgroup.splitlines():
        if line.startswith("0::"):
            return line.removeprefix("0::")
    return ""


def delegated_root(mount: str, path: str, is_ours: Callable[[str], bool]) -> str:
    """The topmost cgroup above *path* that is writable without a break down to *path*.

    *is_ours* tells it of one directory; "" when not even the own cgroup is.
    """
    found = ""
    directory = mount + path.rstrip("/")
    while len(directory) > len(mount) and is_ours(directory):
        found = directory
        directory = directory.rpartition("/")[0]
    return found
