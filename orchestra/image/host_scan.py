"""Finds what must be hidden of the host's directories, and keeps the finding while it holds good.

Three ways, by what a tree is and costs:
- `/etc` is read in full each time: some thousand files, 4 ms.
- `/opt` and `/usr/local`, which are the administrator's too, are read in full, but the finding is
  kept on disk and used again while it is young, in proportion to what it cost, and while the upper
  directories of the tree are unchanged. So a file that appears in them is seen at once, a deeper
  one, or one that only changed its permissions, a little later (`REUSE_FACTOR`).
- The rest of `/usr` comes from the distribution and is public by nature, and reading it in full
  would cost 0.4 s for 140,000 files: only closed directories are looked for, two levels down.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import TYPE_CHECKING

from orchestra.image.host_secrets import NAMED_IN, is_closed, is_named
from orchestra.linux.procfs import mountinfo_path
from orchestra.model.structs import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REUSE_FACTOR = 10_000
"""A finding is used for this many times as long as it took: 13 ms of /opt for two minutes."""

EXPENSIVE_NS = 50_000_000
PATIENCE_FACTOR = 100
"""A tree that takes longer than 50 ms is not read again within 100 times what it took, whatever
changes: an /opt of a million files with a log in it would be read at every start."""

STAMPED_DIRECTORIES = 512
"""So many directories of a tree, the upper ones first, are compared before a finding is reused."""


_LEVELS = 2


class Finding(msgspec.Struct, frozen=True):
    """What is hidden below one tree. Paths are relative to the host's root, times nanoseconds."""

    taken_ns: int
    cost_ns: int
    hidden: tuple[str, ...]
    mount_points: tuple[str, ...]
    stamps: tuple[tuple[str, int, int], ...]  # directory, mtime, ctime


def scan(host_root: str, tree: str, mount_points: Iterable[str]) -> Finding:
    """Walk *tree* ("etc") of *host_root*, not entering *mount_points* ("usr/local").

    A directory that vanishes meanwhile has nothing to hide; one that cannot be read is hidden.
    """
    began = time.perf_counter_ns()
    mounted = frozenset(mount_points)
    hidden: list[str] = []
    stamps: list[tuple[str, int, int]] = []
    level = [tree]
    while level:
        below: list[str] = []
        for directory in level:
            if len(stamps) < STAMPED_DIRECTORIES:
                stamps.append(_stamp(host_root, directory))
            try:
                _scan_directory(host_root, directory, hidden, below)
            except FileNotFoundError:
                continue
            except OSError:
                hidden.append(directory)
        level = [path for path in below if path not in mounted]
    hidden += mounted
    return Finding(
        time.time_ns(),
        time.perf_counter_ns() - began,
        tuple(sorted(set(hidden))),
        tuple(sorted(mounted)),
        tuple(stamps),
    )


def _scan_directory(host_root: str, directory: str, hidden: list[str], below: list[str]) -> None:
    """Sort the entries of *directory* into *hidden* and, if directories, *below*.

    The loop may run 100,000 times: paths are made only for what needs one.
    """
    has_named = directory == NAMED_IN or directory.startswith(NAMED_IN + "/")
    with _entries(os.path.join(host_root, directory)) as entries:
        for entry in entries:
            if entry.is_symlink() and not has_named:
                continue
            try:
                mode = entry.stat(follow_symlinks=False).st_mode
            except FileNotFoundError:
                continue
            if is_closed(mode) or (has_named and is_named(f"{directory}/{entry.name}")):
                hidden.append(f"{directory}/{entry.name}")
            elif stat.S_ISDIR(mode):
                below.append(f"{directory}/{entry.name}")


@contextlib.contextmanager
def _entries(directory: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """List by descriptor: the kernel then walks no path for each stat."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(fd) as entries:
            yield entries
    finally:
        os.close(fd)


def closed_directories(host_root: str, tree: str, mount_points: Iterable[str]) -> tuple[str, ...]:
    """The closed directories one and two levels below *tree*, and its *mount_points*."""
    hidden = set(mount_points)
    level = [tree]
    for _ in range(_LEVELS):
        below: list[str] = []
        for directory in level:
            with (
                contextlib.suppress(OSError),
                _entries(os.path.join(host_root, directory)) as found,
            ):
                for entry in found:
                    path = f"{directory}/{entry.name}"
                    if path in hidden or not entry.is_dir(follow_symlinks=False):
                        continue
                    if is_closed(entry.stat(follow_symlinks=False).st_mode):
                        hidden.add(path)
                    else:
                        below.append(path)
        level = below
    return tuple(hidden)


def _stamp(host_root: str, directory: str) -> tuple[str, int, int]:
    try:
        status = os.lstat(os.path.join(host_root, directory))
    except OSError:
        return directory, 0, 0
    return directory, status.st_mtime_ns, status.st_ctime_ns


def is_still_good(finding: Finding, host_root: str, mount_points: Iterable[str]) -> bool:
    """May *finding* be used instead of a new scan?"""
    age_ns = time.time_ns() - finding.taken_ns
    if not 0 <= age_ns < REUSE_FACTOR * finding.cost_ns:
        return False
    if finding.mount_points != tuple(sorted(mount_points)):
        return False
    if finding.cost_ns > EXPENSIVE_NS and age_ns < PATIENCE_FACTOR * finding.cost_ns:
        return True
    return all(_stamp(host_root, stamp[0]) == stamp for stamp in finding.stamps)


def read_finding(path: str) -> Finding | None:
    """The finding kept in *path*; None when there is none that can be read."""
    try:
        with open(path, "rb") as file:
            return msgspec.json.decode(file.read(), type=Finding)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_finding(path: str, finding: Finding) -> None:
    """Keep *finding* in *path*. A crash leaves the old one; a lost one is only scanned again."""
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(msgspec.json.encode(finding))
    os.rename(temporary, path)


def mount_points_below(tree: str, host_root: str, mountinfo: str) -> tuple[str, ...]:
    """The mount points strictly below *tree* of *host_root*, relative to it; proc(5) mountinfo.

    An overlay does not cross mounts: it shows the directory below the mount point, which nobody on
    the host can see and which therefore was never judged.
    """
    prefix = os.path.join(host_root, tree) + "/"
    found = set()
    for line in mountinfo.splitlines():
        fields = line.split(" ", 5)
        if len(fields) < 6:
            continue
        target = mountinfo_path(fields[4])
        if target.startswith(prefix):
            found.add(target[len(prefix) - len(tree) - 1 :])
    return tuple(sorted(found))
