"""Copying a directory tree exactly: owner, mode, times, links, extended attributes, devices.

Used to fill a new volume from an image. Both trees are walked by directory descriptors and no
symbolic link is followed, so neither side can lead the copy elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from orchestra.named import NamedTuple

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20


class _Pair(NamedTuple):
    """The same directory in both trees, open, and its path from the top."""

    source: int
    target: int
    path: str


def copy_tree(source: str, target: str) -> None:
    """Copy the directory *source* onto the existing directory *target*, attributes included.

    Raises OSError. What exists in *target* already stays as it is.
    """
    top = _Pair(
        os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC),
        os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC),
        "",
    )
    links: dict[tuple[int, int], str] = {}
    pending = [top]
    try:
        while pending:
            pair = pending.pop()
            with os.scandir(pair.source) as entries:
                children = [_copy_entry(entry, pair, top, links) for entry in entries]
            pending.extend(child for child in children if child is not None)
            _copy_attributes(pair.source, pair.target)
            if pair is not top:
                _close(pair)
    finally:
        for pair in pending:
            if pair is not top:
                _close(pair)
        _close(top)


def _copy_entry(
    entry: os.DirEntry[str], pair: _Pair, top: _Pair, links: dict[tuple[int, int], str]
) -> _Pair | None:
    """Copy one name of *pair*; the pair of a directory that is still to be copied, else None."""
    name, info = entry.name, entry.stat(follow_symlinks=False)
    path = f"{pair.path}{name}"
    try:
        if stat.S_ISDIR(info.st_mode):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=pair.target)
            return _Pair(
                os.open(name, _DIRECTORY, dir_fd=pair.source),
                os.open(name, _DIRECTORY, dir_fd=pair.target),
                f"{path}/",
            )
        if info.st_nlink > 1:
            first = links.setdefault((info.st_dev, info.st_ino), path)
            if first != path:
                os.link(
                    first,
                    name,
                    src_dir_fd=top.target,
                    dst_dir_fd=pair.target,
                    follow_symlinks=False,
                )
                return None
        _copy_leaf(name, info, pair)
    except FileExistsError:
        return None
    return None


def _copy_leaf(name: str, info: os.stat_result, pair: _Pair) -> None:
    if stat.S_ISREG(info.st_mode):
        _copy_file(name, pair)
    elif stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(name, dir_fd=pair.source), name, dir_fd=pair.target)
        os.chown(name, info.st_uid, info.st_gid, dir_fd=pair.target, follow_symlinks=False)
        times = (info.st_atime_ns, info.st_mtime_ns)
        os.utime(name, ns=times, dir_fd=pair.target, follow_symlinks=False)
    elif not stat.S_ISSOCK(info.st_mode):
        os.mknod(name, info.st_mode, info.st_rdev, dir_fd=pair.target)
        os.chown(name, info.st_uid, info.st_gid, dir_fd=pair.target)
        os.chmod(name, stat.S_IMODE(info.st_mode), dir_fd=pair.target)


def _copy_file(name: str, pair: _Pair) -> None:
    source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=pair.source)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        target = os.open(name, flags, 0o600, dir_fd=pair.target)
        try:
            _copy_bytes(source, target)
            _copy_attributes(source, target)
        finally:
            os.close(target)
    finally:
        os.close(source)


def _copy_bytes(source: int, target: int) -> None:
    """In the kernel where it can do so between these two file systems."""
    try:
        while os.copy_file_range(source, target, _CHUNK * 64):
            pass
    except OSError as exc:
        if exc.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    else:
        return
    while chunk := os.read(source, _CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(target, view) :]


def _copy_attributes(source: int, target: int) -> None:
    info = os.fstat(source)
    os.fchown(target, info.st_uid, info.st_gid)
    os.fchmod(target, stat.S_IMODE(info.st_mode))
    for name in os.listxattr(source):
        if name.startswith("trusted.overlay."):
            continue
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError as exc:
            if exc.errno not in (errno.EOPNOTSUPP, errno.EPERM):
                raise
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))


def _close(pair: _Pair) -> None:
    os.close(pair.source)
    os.close(pair.target)
