"""The writable layer of a container as a layer's archive: overlayfs's marks back into whiteouts.

The directory belongs to a container that may run and change it meanwhile. It is walked by
descriptors, and no symbolic link is followed.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
from typing import TYPE_CHECKING, cast

from orchestra.errors import Unsupported
from orchestra.image.whiteouts import OPAQUE
from orchestra.linux.safe_open import safe_open

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Sequence

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 18
_BLOCK = tarfile.BLOCKSIZE
_TOP = "."
_INTERNAL = "trusted.overlay."
_INCOMPLETE = ("trusted.overlay.redirect", "trusted.overlay.metacopy")


def archive_of(directory: str) -> Iterator[bytes]:
    """The tar archive, in chunks. Sockets are left out, as by every tar; mounts are not entered."""
    top = os.open(directory, _DIRECTORY)
    try:
        yield from _tree(top, "", {})
    finally:
        os.close(top)
    yield bytes(2 * _BLOCK)


def archive_of_paths(
    directory: str, paths: Sequence[str], leave_out: Collection[tuple[int, int]] = ()
) -> Iterator[bytes]:
    """The same of *paths* below *directory* ("" for all of it), with the directories above them.

    *paths* are normal, and none lies below another. *leave_out* are files by device and inode. The
    time of *directory* itself is not told: writing the archive into it would change that.
    Raises FileNotFoundError for a path that is not there.
    """
    top = os.open(directory, _DIRECTORY)
    links: dict[tuple[int, int], str] = dict.fromkeys(leave_out, "")
    told: set[str] = set()
    try:
        for path in paths:
            for above in _with_parents(path):
                if above not in told:
                    told.add(above)
                    yield from _one(top, above, links)
            if _is_directory(top, path):
                yield from _tree(top, path, links)
    finally:
        os.close(top)
    yield bytes(2 * _BLOCK)


def _with_parents(path: str) -> Iterator[str]:
    """*path* and all directories above it, from "" on."""
    yield ""
    parts = path.split("/") if path else []
    for depth in range(1, len(parts) + 1):
        yield "/".join(parts[:depth])


def _is_directory(top: int, path: str) -> bool:
    status = os.stat(path or ".", dir_fd=top, follow_symlinks=False)
    return stat.S_ISDIR(status.st_mode)


def _one(top: int, path: str, links: dict[tuple[int, int], str]) -> Iterator[bytes]:
    """The entry of *path* itself."""
    directory, _, name = path.rpartition("/")
    fd = _open_below(top, directory)
    try:
        status = os.stat(name or ".", dir_fd=fd, follow_symlinks=False)
        yield from _member(fd, name or ".", path or _TOP, status, links)
    finally:
        os.close(fd)


def _tree(top: int, start: str, links: dict[tuple[int, int], str]) -> Iterator[bytes]:
    """All that lies below the directory *start*, on its file system."""
    device = os.stat(start or ".", dir_fd=top).st_dev
    pending = [start]
    while pending:
        path = pending.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            below = yield from _directory(top, path, device, links)
            pending += reversed(below)


def _open_below(top: int, path: str) -> int:
    with safe_open(top, path or ".") as place:
        return os.open(place.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _directory(
    top: int, path: str, device: int, links: dict[tuple[int, int], str]
) -> Generator[bytes, None, list[str]]:
    """The members of one directory; returns the directories in it."""
    fd = _open_below(top, path)
    try:
        below: list[str] = []
        for name in sorted(os.listdir(fd)):
            member = f"{path}/{name}" if path else name
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if status.st_dev != device and not stat.S_ISCHR(status.st_mode):
                    continue
                yield from _member(fd, name, member, status, links)
                if stat.S_ISDIR(status.st_mode):
                    below.append(member)
        return below
    finally:
        os.close(fd)


def _member(
    directory: int,
    name: str,
    path: str,
    status: os.stat_result,
    links: dict[tuple[int, int], str],
) -> Iterator[bytes]:
    """The header and content of one entry."""
    mode = status.st_mode
    if stat.S_ISSOCK(mode) or links.get((status.st_dev, status.st_ino)) == "":
        return
    if stat.S_ISCHR(mode) and status.st_rdev == 0:
        yield _marker(os.path.join(os.path.dirname(path), f".wh.{name}"))
        return
    info = _header(path, status)
    if not stat.S_ISDIR(mode) and status.st_nlink > 1:
        first = links.setdefault((status.st_dev, status.st_ino), path)
        if first != path:
            info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
            yield _encoded(info)
            return
    if stat.S_ISLNK(mode):
        info.type, info.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=directory)
        yield _encoded(info)
    elif stat.S_ISREG(mode):
        yield from _regular(directory, name, info)
    elif stat.S_ISDIR(mode):
        yield from _directory_header(directory, name, info)
    else:
        kinds = {
            stat.S_IFCHR: tarfile.CHRTYPE,
            stat.S_IFBLK: tarfile.BLKTYPE,
            stat.S_IFIFO: tarfile.FIFOTYPE,
        }
        info.type = kinds[stat.S_IFMT(mode)]
        info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        yield _encoded(info)


def _regular(directory: int, name: str, info: tarfile.TarInfo) -> Iterator[bytes]:
    """A file; one that grows or shrinks while it is read keeps the size of the beginning."""
    fd = os.open(name, _FILE, dir_fd=directory)
    try:
        size = info.size = os.fstat(fd).st_size
        _add_xattrs(info, fd)
        yield _encoded(info)
        left = size
        while left > 0:
            chunk = os.read(fd, min(left, _CHUNK)) or bytes(min(left, _CHUNK))
            left -= len(chunk)
            yield chunk
        yield bytes(-size % _BLOCK)
    finally:
        os.close(fd)


def _directory_header(directory: int, name: str, info: tarfile.TarInfo) -> Iterator[bytes]:
    fd = os.open(name, _DIRECTORY, dir_fd=directory)
    try:
        info.type = tarfile.DIRTYPE
        _add_xattrs(info, fd)
        yield _encoded(info)
        with contextlib.suppress(OSError):
            if os.getxattr(fd, OPAQUE) == b"y":
                yield _marker(f"{info.name}/.wh..wh..opq")
    finally:
        os.close(fd)


def _header(path: str, status: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode = stat.S_IMODE(status.st_mode)
    info.uid, info.gid = status.st_uid, status.st_gid
    if path == _TOP:
        return info
    seconds, nanoseconds = divmod(status.st_mtime_ns, 10**9)
    info.mtime = seconds
    if nanoseconds:
        _pax(info)["mtime"] = f"{seconds}.{nanoseconds:09d}"
    return info


def _add_xattrs(info: tarfile.TarInfo, fd: int) -> None:
    """Raises Unsupported for a file whose content is in another layer."""
    for name in os.listxattr(fd):
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


def _marker(path: str) -> bytes:
    return _encoded(tarfile.TarInfo(path))


def _encoded(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
