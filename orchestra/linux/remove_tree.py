"""Removes a directory tree that a container may have written: no symlink, no depth can hurt it.

`shutil.rmtree` recurses and keeps a descriptor per level, so a tree some thousand levels deep, as
any container can make, stops it. Here every directory that is not empty is first renamed to the top
of the tree; two descriptors and no recursion do.
"""

from __future__ import annotations

import contextlib
import errno
import os
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: str) -> None:
    """Remove the directory *path* with all below it; "gone" is fine.

    Never follows a symbolic link and never enters another file system. Raises OSError(EBUSY) when a
    file system is mounted below, NotADirectoryError when *path* is not a directory.
    """
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return
    except OSError as exc:
        if exc.errno != errno.ENOTEMPTY:
            raise
    else:
        return
    with contextlib.suppress(FileNotFoundError):  # two processes may remove the same tree
        top = os.open(path, _OPEN_DIRECTORY)
        try:
            _empty(top)
        finally:
            os.close(top)
        os.rmdir(path)


def _empty(top: int) -> None:
    names = count()
    while entries := os.listdir(top):
        for name in entries:
            if not _remove_entry(top, name):
                with contextlib.suppress(FileNotFoundError):
                    _hoist_children(top, name, names)
                    os.rmdir(name, dir_fd=top)


def _remove_entry(directory: int, name: str) -> bool:
    """Remove a file or an empty directory; False when it is a directory with content."""
    try:
        os.unlink(name, dir_fd=directory)
    except IsADirectoryError:
        pass
    except FileNotFoundError:
        return True
    else:
        return True
    try:
        os.rmdir(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError as exc:
        if exc.errno != errno.ENOTEMPTY:
            raise
        return False
    return True


def _hoist_children(top: int, name: str, names: Iterator[int]) -> None:
    directory = os.open(name, _OPEN_DIRECTORY, dir_fd=top)
    try:
        for child in os.listdir(directory):
            if not _remove_entry(directory, child):
                _hoist(directory, child, top, names)
    finally:
        os.close(directory)


def _hoist(directory: int, child: str, top: int, names: Iterator[int]) -> None:
    """Move the directory *child* to a free name in *top*."""
    while True:
        name = f".removing-{next(names)}"
        try:
            os.rename(child, name, src_dir_fd=directory, dst_dir_fd=top)
        except OSError as exc:
            if exc.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
                raise
        else:
            return
