"""One entry of a directory as a member of a tar archive: its header, and its content in chunks.

The directory may belong to a container that runs and changes it meanwhile: entries are opened by
name in an open directory, and no symbolic link is followed. Sockets are left out, as by every tar.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tarfile
from typing import TYPE_CHECKING, NamedTuple, cast

from orchestra.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = "."
"""What the directory is called that an archive is of."""

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 18
_INTERNAL = "trusted.overlay."
_INCOMPLETE = ("trusted.overlay.redirect", "trusted.overlay.metacopy")
_MAX_EXTENTS = 10_000  # a file in more pieces is sent whole
_NO_HOLES = frozenset({errno.EINVAL, errno.EOPNOTSUPP})
_KINDS = {
    stat.S_IFCHR: tarfile.CHRTYPE, stat.S_IFBLK: tarfile.BLKTYPE, stat.S_IFIFO: tarfile.FIFOTYPE,
}  # fmt: skip

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
) -> Iterator[bytes]:
    """The entry *name* of *directory*, called *path* in the archive; nothing for a socket.

    *sparse* leaves holes out in the form of GNU tar (pax, 1.0), which not every reader knows. The
    time of TOP is not told: who unpacks there changes it.
    Raises FileNotFoundError when it has gone, Unsupported for a file whose content is elsewhere.
    """
    mode = status.st_mode
    if stat.S_ISSOCK(mode):
        return
    info = _header(path, status)
    if not stat.S_ISDIR(mode) and status.st_nlink > 1:
        first = links.setdefault((status.st_dev, status.st_ino), path)
        if first != path:
            info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
            yield encoded(info)
            return
    if stat.S_ISLNK(mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=directory)
        yield encoded(info)
    elif stat.S_ISREG(mode):
        yield from _regular(directory, name, info, sparse=sparse)
    elif stat.S_ISDIR(mode):
        fd = os.open(name, DIRECTORY, dir_fd=directory)
        try:
            info.type = tarfile.DIRTYPE
            _add_xattrs(info, fd)
        finally:
            os.close(fd)
        yield encoded(info)
    else:
        info.type = _KINDS[stat.S_IFMT(mode)]
        info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        yield encoded(info)


def encoded(info: tarfile.TarInfo) -> bytes:
    """The header blocks of *info*."""
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _regular(directory: int, name: str, info: tarfile.TarInfo, *, sparse: bool) -> Iterator[bytes]:
    """A file; one that grows or shrinks while it is read keeps the size of the beginning."""
    fd = os.open(name, _FILE, dir_fd=directory)
    try:
        status = os.fstat(fd)
        info.size = status.st_size
        _add_xattrs(info, fd)
        has_holes = status.st_blocks * 512 < status.st_size
        extents = _data(fd, status.st_size) if sparse and has_holes else None
        if extents is None:
            yield encoded(info)
            yield from _content(fd, _Extent(0, info.size))
            yield bytes(-info.size % BLOCK)
            return
        yield from _holed(fd, info, extents)
    finally:
        os.close(fd)


def _holed(fd: int, info: tarfile.TarInfo, extents: list[_Extent]) -> Iterator[bytes]:
    """GNU tar manual, "Storing Sparse Files", PAX format, version 1.0."""
    numbers = [len(extents), *(number for extent in extents for number in extent)]
    table = "".join(f"{number}\n" for number in numbers).encode()
    table += bytes(-len(table) % BLOCK)
    pax = _pax(info)
    pax["GNU.sparse.major"], pax["GNU.sparse.minor"] = "1", "0"
    pax["GNU.sparse.name"], pax["GNU.sparse.realsize"] = info.name, str(info.size)
    info.size = len(table) + sum(extent.size for extent in extents)
    yield encoded(info)
    yield table
    for extent in extents:
        yield from _content(fd, extent)
    yield bytes(-info.size % BLOCK)


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


def _header(path: str, status: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode = stat.S_IMODE(status.st_mode)
    info.uid, info.gid = status.st_uid, status.st_gid
    if path == TOP:
        return info
    seconds, nanoseconds = divmod(status.st_mtime_ns, 10**9)
    info.mtime = seconds
    if nanoseconds:
        _pax(info)["mtime"] = f"{seconds}.{nanoseconds:09d}"
    return info


def _add_xattrs(info: tarfile.TarInfo, fd: int) -> None:
    """Raises Unsupported for a file whose content is in another layer."""
    names: list[str] = []
    with contextlib.suppress(OSError):  # a file system that has none
        names = os.listxattr(fd)
    for name in names:
        if name in _INCOMPLETE:
            raise Unsupported(
                f"/{info.name} is a reference into a lower layer ({name})",
                fix="load the overlay module with redirect_dir=off metacopy=off",
            )
        if not name.startswith(_INTERNAL):
            value = os.getxattr(fd, name)
            _pax(info)[f"SCHILY.xattr.{name}"] = value.decode("utf-8", "surrogateescape")


def _pax(info: tarfile.TarInfo) -> dict[str, str]:
    return cast("dict[str, str]", info.pax_headers)
