"""The writable layer of a container as a layer's archive: overlayfs's marks back into whiteouts.

The directory belongs to a container that may run and change it meanwhile. It is walked by
descriptors, and no symbolic link is followed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from orchestra.image.tarheader import END, TOP, empty_file
from orchestra.image.tarmember import OPEN_DIRECTORY, Links, member
from orchestra.image.whiteouts import OPAQUE
from orchestra.linux.safe_open import safe_open

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Iterator, Sequence


class Tally:
    """*size_bytes* of the files that were put into an archive: hard links once, holes as well."""

    def __init__(self) -> None:
        self.size_bytes = 0


def archive_of(directory: str, tally: Tally | None = None) -> Iterator[bytes]:
    """The tar archive, in chunks. Sockets are left out, as by every tar; mounts are not entered."""
    top = os.open(directory, OPEN_DIRECTORY)
    try:
        yield from _tree(top, "", {}, tally or Tally())
    finally:
        os.close(top)
    yield END


def archive_of_paths(
    directory: str, paths: Sequence[str], leave_out: Collection[tuple[int, int]] = ()
) -> Iterator[bytes]:
    """The same of *paths* below *directory* ("" for all of it), with the directories above them.

    *paths* are normal, and none lies below another. *leave_out* are files by device and inode. The
    time of *directory* itself is not told: writing the archive into it would change that.
    Raises FileNotFoundError for a path that is not there.
    """
    top = os.open(directory, OPEN_DIRECTORY)
    links: Links = dict.fromkeys(leave_out, "")
    told: set[str] = set()
    try:
        for path in paths:
            for above in _with_parents(path):
                if above not in told:
                    told.add(above)
                    yield from _one(top, above, links)
            if _is_directory(top, path):
                yield from _tree(top, path, links, Tally())
    finally:
        os.close(top)
    yield END


def _with_parents(path: str) -> Iterator[str]:
    """*path* and all directories above it, from "" on."""
    yield ""
    parts = path.split("/") if path else []
    for depth in range(1, len(parts) + 1):
        yield "/".join(parts[:depth])


def _is_directory(top: int, path: str) -> bool:
    status = os.stat(path or ".", dir_fd=top, follow_symlinks=False)
    return stat.S_ISDIR(status.st_mode)


def _one(top: int, path: str, links: Links) -> Iterator[bytes]:
    """The entry of *path* itself."""
    directory, _, name = path.rpartition("/")
    fd = _open_below(top, directory)
    try:
        status = os.stat(name or ".", dir_fd=fd, follow_symlinks=False)
        yield from _member(fd, name or ".", path or TOP, status, links)
    finally:
        os.close(fd)


def _tree(top: int, start: str, links: Links, tally: Tally) -> Iterator[bytes]:
    """All that lies below the directory *start*, on its file system."""
    device = os.stat(start or ".", dir_fd=top).st_dev
    pending = [start]
    while pending:
        path = pending.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            below = yield from _directory(top, path, device, links, tally)
            pending += reversed(below)


def _open_below(top: int, path: str) -> int:
    with safe_open(top, path or ".") as place:
        return os.open(place.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _directory(
    top: int, path: str, device: int, links: Links, tally: Tally
) -> Generator[bytes, None, list[str]]:
    """The members of one directory; returns the directories in it."""
    fd = _open_below(top, path)
    above = f"{path}/" if path else ""
    try:
        below: list[str] = []
        for name in sorted(os.listdir(fd)):
            try:
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if status.st_dev != device and not stat.S_ISCHR(status.st_mode):
                    continue
                is_new = status.st_nlink == 1 or (status.st_dev, status.st_ino) not in links
                yield from _member(fd, name, above + name, status, links)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(status.st_mode):
                below.append(above + name)
            elif is_new:
                tally.size_bytes += status.st_size
        return below
    finally:
        os.close(fd)


def _member(
    directory: int, name: str, path: str, status: os.stat_result, links: Links
) -> Iterable[bytes]:
    """The header and content of one entry, or the whiteout that it stands for."""
    if links and links.get((status.st_dev, status.st_ino)) == "":
        return ()
    if status.st_rdev == 0 and stat.S_ISCHR(status.st_mode):
        return (empty_file(os.path.join(os.path.dirname(path), f".wh.{name}")),)
    found = member(directory, name, path, status, links, sparse=False)
    if stat.S_ISDIR(status.st_mode) and _is_opaque(directory, name):
        return (*found, empty_file(f"{path}/.wh..wh..opq"))
    return found


def _is_opaque(parent: int, name: str) -> bool:
    fd = os.open(name, OPEN_DIRECTORY, dir_fd=parent)
    try:
        return os.getxattr(fd, OPAQUE) == b"y"
    except OSError:
        return False
    finally:
        os.close(fd)
