"""A directory tree, or one file, as a tar archive: what `cp` and `export` read.

Walked by descriptors: no symbolic link of the tree is followed, whoever changes it meanwhile. The
members come in the order of their names, so the same tree gives the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from orchestra.image.tarheader import END
from orchestra.image.tarmember import Links, member
from orchestra.linux.safe_open import safe_open

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


def file_archive(directory: int, name: str, named: str, *, sparse: bool) -> Iterator[bytes]:
    """The entry *name* of *directory*, no directory itself, as the only member *named*.

    Raises OSError.
    """
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    yield from member(directory, name, named, status, {}, sparse=sparse)
    yield END


def tree_archive(
    top: int, named: str, *, sparse: bool, hidden: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[bytes]:
    """The directory *top* as the member *named* ("": without itself), and all that is in it.

    *hidden* directories, by device and inode, are there without what is in them. Raises OSError.
    What goes while it is read is left out.
    """
    links: Links = {}
    if named:
        yield from member(top, ".", named, os.fstat(top), links, sparse=sparse)
        named = "" if named == "." else named
    pending = [""]
    while pending:
        path = pending.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            below = yield from _directory(top, path, named, links, sparse=sparse)
            pending += (inside for inside, at in reversed(below) if at not in hidden)
    yield END


def _directory(
    top: int, path: str, named: str, links: Links, *, sparse: bool
) -> Generator[bytes, None, list[tuple[str, tuple[int, int]]]]:
    """The members of one directory; returns the directories in it, as paths below *top*.

    With each comes its device and inode.
    """
    with safe_open(top, path or ".") as place:
        fd = os.open(place.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        below: list[tuple[str, tuple[int, int]]] = []
        for name in sorted(os.listdir(fd)):
            inside = f"{path}/{name}" if path else name
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                called = f"{named}/{inside}" if named else inside
                yield from member(fd, name, called, status, links, sparse=sparse)
                if stat.S_ISDIR(status.st_mode):
                    below.append((inside, (status.st_dev, status.st_ino)))
        return below
    finally:
        os.close(fd)
