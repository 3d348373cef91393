"""One entry of a directory as a member of a tar archive: its header, and its content in chunks.

The directory may belong to a container that runs and changes it meanwhile: entries are opened by
name in an open directory, and no symbolic link is followed. Sockets are left out, as by every tar.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from orchestra.errors import Unsupported
from orchestra.image.tarheader import (
    BLOCK,
    BLOCK_BYTES,
    CHAR,
    DIRECTORY,
    FIFO,
    HARD_LINK,
    REGULAR,
    SYMLINK,
    encoded,
)
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 18
_INTERNAL = "trusted.overlay."
_INCOMPLETE = ("trusted.overlay.redirect", "trusted.overlay.metacopy")
_MAX_EXTENTS = 10_000  # a file in more pieces is sent whole
_NO_HOLES = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
_KINDS = {stat.S_IFCHR: CHAR, stat.S_IFBLK: BLOCK, stat.S_IFIFO: FIFO}

Links = dict[tuple[int, int], str]
"""Device and inode of a file with several names -> the name it has in the archive."""


class _Extent(NamedTuple):
    offset: int
    size: int


def member(
    directory: int,
    name: str,
    path: str,
    status: os.stat_result,
    links: Links,
    *,
    sparse: bool,
) -> Iterable[bytes]:
    """The entry *name* of *directory*, called *path* in the archive; nothing for a socket.

    *sparse* leaves holes out in the form of GNU tar (pax, 1.0), which not every reader knows.
    Raises, now or while it is iterated over, FileNotFoundError when it has gone, and Unsupported
    for a file whose content is elsewhere.
    """
    kind = stat.S_IFMT(status.st_mode)
    if status.st_nlink > 1 and kind not in (stat.S_IFDIR, stat.S_IFSOCK):
        first = links.setdefault((status.st_dev, status.st_ino), path)
        if first != path:
            return (encoded(path, HARD_LINK, status, link=first),)
    if kind == stat.S_IFREG:
        return _regular(directory, name, path, sparse=sparse)
    if kind == stat.S_IFDIR:
        fd = os.open(name, OPEN_DIRECTORY, dir_fd=directory)
        try:
            return (encoded(path, DIRECTORY, status, pax=_xattrs(fd, path)),)
        finally:
            os.close(fd)
    if kind == stat.S_IFLNK:
        target = os.readlink(name, dir_fd=directory)
        return (encoded(path, SYMLINK, status, link=target),)
    if kind == stat.S_IFSOCK:
        return ()
    return (encoded(path, _KINDS[kind], status),)


def _regular(directory: int, name: str, path: str, *, sparse: bool) -> Iterable[bytes]:
    """A file; one that grows or shrinks while it is read keeps the size of the beginning."""
    fd = os.open(name, _OPEN_FILE, dir_fd=directory)
    try:
        status = os.fstat(fd)
        size = status.st_size
        if size <= _CHUNK and not (sparse and _has_holes(status)):
            # most files: in one piece, which takes half the time of several
            content = os.read(fd, size) if size else b""
            if len(content) == size:
                header = encoded(path, REGULAR, status, size=size, pax=_xattrs(fd, path))
                return (header + content + bytes(-size % BLOCK_BYTES),)
    finally:
        os.close(fd)
    return _large(directory, name, path, sparse=sparse)


def _large(directory: int, name: str, path: str, *, sparse: bool) -> Iterator[bytes]:
    """Opens the file itself, or nobody would close it should this never be iterated over."""
    fd = os.open(name, _OPEN_FILE, dir_fd=directory)
    try:
        status = os.fstat(fd)
        size = status.st_size
        pax = _xattrs(fd, path)
        extents = _data(fd, size) if sparse and _has_holes(status) else None
        if extents is not None:
            yield from _holed(fd, path, status, extents, pax)
            return
        yield encoded(path, REGULAR, status, size=size, pax=pax)
        yield from _content(fd, _Extent(0, size))
        yield bytes(-size % BLOCK_BYTES)
    finally:
        os.close(fd)


def _has_holes(status: os.stat_result) -> bool:
    return status.st_blocks * 512 < status.st_size


def _holed(
    fd: int, path: str, status: os.stat_result, extents: list[_Extent], pax: dict[str, str]
) -> Iterator[bytes]:
    """GNU tar manual, "Storing Sparse Files", PAX format, version 1.0."""
    numbers = [len(extents), *(number for extent in extents for number in extent)]
    table = "".join(f"{number}\n" for number in numbers).encode()
    table += bytes(-len(table) % BLOCK_BYTES)
    pax["GNU.sparse.major"], pax["GNU.sparse.minor"] = "1", "0"
    pax["GNU.sparse.name"], pax["GNU.sparse.realsize"] = path, str(status.st_size)
    size = len(table) + sum(extent.size for extent in extents)
    yield encoded(path, REGULAR, status, size=size, pax=pax)
    yield table
    for extent in extents:
        yield from _content(fd, extent)
    yield bytes(-size % BLOCK_BYTES)


def _data(fd: int, size: int) -> list[_Extent] | None:
    """Where the file has data; None when its file system does not tell, or in too many places."""
    found: list[_Extent] = []
    at = 0
    try:
        while at < size and len(found) <= _MAX_EXTENTS:
            start = os.lseek(fd, at, os.SEEK_DATA)
            at = min(os.lseek(fd, start, os.SEEK_HOLE), size)
            if start < at:
                found.append(_Extent(start, at - start))
    except OSError as exc:
        if exc.errno in _NO_HOLES:
            return None
        if exc.errno != errno.ENXIO:  # no more data
            raise
    return found if len(found) <= _MAX_EXTENTS else None


def _content(fd: int, extent: _Extent) -> Iterator[bytes]:
    at, left = extent
    while left > 0:
        chunk = os.pread(fd, min(left, _CHUNK), at) or bytes(min(left, _CHUNK))
        at += len(chunk)
        left -= len(chunk)
        yield chunk


def _xattrs(fd: int, path: str) -> dict[str, str]:
    """The extended attributes as star writes them: records of the header.

    Raises Unsupported for a file whose content is in another layer.
    """
    try:
        names = os.listxattr(fd)
    except OSError:  # a file system that has none
        return {}
    found = {}
    for name in names:
        if name in _INCOMPLETE:
            raise Unsupported(
                f"/{path} is a reference into a lower layer ({name})",
                fix="load the overlay module with redirect_dir=off metacopy=off",
            )
        if not name.startswith(_INTERNAL):
            value = os.getxattr(fd, name)
            found[f"SCHILY.xattr.{name}"] = value.decode("utf-8", "surrogateescape")
    return found
