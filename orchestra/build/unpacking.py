"""Unpacks the archives that ADD finds in a context. Runs in a process whose root is the image's.

So no name and no link of an archive leads out of the image. What is an archive is told by content:
one that has a member, compressed or not. Dockerfile reference, "ADD", "Adding local tar archives".
"""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING, cast

from orchestra.build.copying import make_directories, make_directory_here
from orchestra.build.selection import CopyError
from orchestra.image.decompress import DAMAGED, plain_reader
from orchestra.linux.remove_tree import remove_tree

if TYPE_CHECKING:
    import io
    from typing import IO

_CHUNK = 1 << 20
_XATTR = "SCHILY.xattr."

_DAMAGED: tuple[type[Exception], ...] = (tarfile.TarError, *DAMAGED)
_NO_ARCHIVE: tuple[type[Exception], ...] = (OSError, *_DAMAGED)

Owner = tuple[int, int]


def unpack(
    file: io.BufferedReader, name: str, top: str, owner: Owner | None, *, parents: Owner | None
) -> bool:
    """Unpack *file* into the directory *top*; False when it is no archive.

    *owner* replaces what the members have; what the archive does not mention but needs belongs to
    *parents*. Raises CopyError with *name*, OSError.
    """
    try:
        stream = cast("IO[bytes]", plain_reader(file))
        archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115 (closed below)
    except _NO_ARCHIVE:
        return False
    with archive:
        if archive.next() is None:
            return False
        make_directories(top, parents)
        try:
            _Unpacking(archive, top, owner, parents).run()
        except _DAMAGED as exc:
            raise CopyError(f"{name} is a damaged archive: {exc}") from exc
    return True


class _Unpacking:
    def __init__(
        self, archive: tarfile.TarFile, top: str, owner: Owner | None, parents: Owner | None
    ) -> None:
        self._archive = archive
        self._top = top
        self._owner = owner
        self._parents = parents

    def run(self) -> None:
        """Names and hard links count from the top."""
        directories = []
        for member in self._archive:
            path = self._path(member.name)
            if path.rstrip("/") == self._top or not self._make(member, path):
                continue
            self._dress(member, path)
            if member.isdir():
                directories.append((path, member.mtime))
        for path, mtime in reversed(directories):
            os.utime(path, (mtime, mtime))

    def _path(self, name: str) -> str:
        """*name*, whatever dots and slashes it has, as one below the top."""
        return os.path.join(self._top, os.path.normpath("/" + name).lstrip("/"))

    def _make(self, member: tarfile.TarInfo, path: str) -> bool:
        """Make it at *path*; False for what needs no attributes, or is of no known type."""
        make_directories(os.path.dirname(path), self._parents)
        if member.isdir():
            make_directory_here(path)
            return True
        _make_room(path)
        if member.islnk():
            os.link(self._path(member.linkname), path, follow_symlinks=False)
            return False
        if member.issym():
            os.symlink(member.linkname, path)
        elif member.isfifo():
            os.mkfifo(path)
        elif member.isreg():
            self._write(member, path)
        elif member.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            kind = 0o020000 if member.ischr() else 0o060000
            os.mknod(path, kind | 0o600, os.makedev(member.devmajor, member.devminor))
        else:
            return False
        return True

    def _write(self, member: tarfile.TarInfo, path: str) -> None:
        content = self._archive.extractfile(member)
        with open(path, "xb") as file:
            while content is not None and (data := content.read(_CHUNK)):
                file.write(data)

    def _dress(self, member: tarfile.TarInfo, path: str) -> None:
        """Owner first: chown(2) takes set-uid bits and capabilities away."""
        os.chown(path, *(self._owner or (member.uid, member.gid)), follow_symlinks=False)
        if not member.issym():
            os.chmod(path, member.mode & 0o7777)
        for key, value in member.pax_headers.items():
            if key.startswith(_XATTR):
                content = value.encode("utf-8", "surrogateescape")
                os.setxattr(path, key.removeprefix(_XATTR), content, follow_symlinks=False)
        if not member.isdir():
            os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)


def _make_room(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        remove_tree(path)
    elif os.path.lexists(path):
        os.unlink(path)
