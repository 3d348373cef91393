"""The entries of a tar archive onto a directory that is in use: the receiving end of `cp`.

Other than for a layer (`image.unpack`) nothing in the archive is a whiteout, what is there already
stays, a directory never takes the place of something else or the reverse, and whoever has the
directory may change it meanwhile. Links in it are followed inside of its root, as a process there
would. moby/go-archive, Untar with NoOverwriteDirNonDir.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from orchestra.errors import Conflict, RuntimeFailure
from orchestra.image import tarformat
from orchestra.image.unpack import Unpacker, clean_path, set_xattrs, write_content
from orchestra.image.whiteouts import OverlayMarks
from orchestra.linux.procfs import mount_id
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.image.bytestream import ByteStream
    from orchestra.image.tarformat import Entry

_PRIVILEGES = stat.S_ISUID | stat.S_ISGID
_PRIVILEGED_XATTRS = (b"security.", b"trusted.")


class Owner(NamedTuple):
    """Whom the files are to belong to, whatever the archive says."""

    uid: int
    gid: int


class CopyTarget(Unpacker):
    """The directory *prefix* below the directory *root*, a descriptor that stays the caller's.

    With an *owner*, *privileges* (set-user-ID bits, file capabilities) stay only when they are
    asked for: they were meant for somebody else.
    """

    def __init__(
        self, root: int, prefix: str, owner: Owner | None = None, *, privileges: bool = True
    ) -> None:
        super().__init__(f"/proc/self/fd/{root}", OverlayMarks())
        self._prefix = os.fsencode(prefix.strip("/"))
        self._owner = owner
        self._privileges = privileges

    def add(self, entry: Entry, stream: ByteStream) -> None:
        """Make *entry*. Raises Conflict for a directory in place of a file, and the reverse."""
        path = clean_path(entry.name)
        if not path:
            stream.skip(entry.stored_bytes)  # the directory itself: it is there, and stays
            return
        entry = self._changed(entry)
        directory, _, name = path.rpartition(b"/")
        try:
            parent = self._open_parent(self._below(directory))
            if self._is_in_the_way(parent, name, entry):
                self._write_in_place(parent, name, entry, stream)
            elif entry.kind == tarformat.REGULAR:
                self._add_file(parent, name, entry, stream)
            elif entry.kind == tarformat.DIRECTORY:
                self._add_directory(parent, self._below(path), name, entry)
            else:
                self._add_special(parent, name, entry)
        except OSError as exc:
            raise RuntimeFailure(
                f"cannot write {os.fsdecode(path)}: {os.strerror(exc.errno or 0)}"
            ) from exc

    def _make_room(self, parent: int, name: bytes) -> bool:
        """Only a file: whoever puts a directory there now does so to have it removed."""
        os.unlink(name, dir_fd=parent)
        return False

    def _below(self, path: bytes) -> bytes:
        return b"/".join(part for part in (self._prefix, path) if part)

    def _changed(self, entry: Entry) -> Entry:
        if entry.kind == tarformat.HARD_LINK:
            entry = entry._replace(link=self._below(clean_path(entry.link)))
        if self._owner is not None:
            entry = entry._replace(uid=self._owner.uid, gid=self._owner.gid)
        if not self._privileges:
            kept = tuple(
                pair for pair in entry.xattrs if not pair[0].startswith(_PRIVILEGED_XATTRS)
            )
            mode = entry.mode if entry.kind == tarformat.DIRECTORY else entry.mode & ~_PRIVILEGES
            entry = entry._replace(xattrs=kept, mode=mode)
        return entry

    def _is_in_the_way(self, parent: int, name: bytes, entry: Entry) -> bool:
        """Is *name* a mounted file, which can be written to and not be replaced?

        Raises Conflict when it is there as something that *entry* may not take the place of.
        """
        try:
            there = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        except FileNotFoundError:
            return False
        try:
            is_directory = stat.S_ISDIR(os.fstat(there).st_mode)
            if is_directory != (entry.kind == tarformat.DIRECTORY):
                kinds = ("directory", "non-directory")
                old, new = kinds if is_directory else kinds[::-1]
                text = os.fsdecode(entry.name)
                raise Conflict(f'cannot overwrite {old} "{text}" with {new}')
            return not is_directory and mount_id(there) != mount_id(parent)
        finally:
            os.close(there)

    def _write_in_place(self, parent: int, name: bytes, entry: Entry, stream: ByteStream) -> None:
        if entry.kind != tarformat.REGULAR:
            raise Conflict(f'"{os.fsdecode(entry.name)}" is a mount: it can only be written to')
        flags = os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(name, flags, dir_fd=parent)
        try:
            write_content(fd, entry, stream)
            os.fchown(fd, entry.uid, entry.gid)
            set_xattrs(fd, entry)
            os.fchmod(fd, entry.mode)
        finally:
            os.close(fd)
