"""Entries of a layer onto a directory: what to make for each, in the form overlayfs wants.

The archive is hostile until proven otherwise. Every entry is made in a directory that was opened
with the layer's directory as root, so neither `..` nor a symbolic link that the archive itself made
leads out of it; the last component is never followed. Whiteouts become 0:0 character devices,
opaque markers an extended attribute: OCI image-spec layer.md, overlayfs of the kernel's docs.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from orchestra.errors import RegistryError
from orchestra.image import tarformat
from orchestra.image.whiteouts import AUFS, OPAQUE_MARKER, WHITEOUT, OverlayMarks, remove_at
from orchestra.linux.safe_open import Create, safe_open

if TYPE_CHECKING:
    from orchestra.image.bytestream import ByteStream
    from orchestra.image.tarformat import Entry
    from orchestra.image.whiteouts import Marks

MAX_ENTRIES = 5_000_000
_OVERLAY = OverlayMarks()
_MAX_PATH = 4096
_FORBIDDEN_XATTRS = (b"trusted.overlay.", b"user.overlay.")
"""They would tell overlayfs to show other files than those of the layer."""
_NO_XATTR = frozenset({errno.ENOTSUP, errno.EPERM, errno.EINVAL})
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_HOST_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENFILE, errno.EMFILE})
_DEVICE_KINDS = {
    tarformat.CHAR: stat.S_IFCHR, tarformat.BLOCK: stat.S_IFBLK, tarformat.FIFO: stat.S_IFIFO,
}  # fmt: skip


def unpack(stream: ByteStream, directory: str, marks: Marks = _OVERLAY) -> int:
    """Unpack the tar archive in *stream* into *directory*; the bytes of all its files.

    Raises RegistryError for a malformed or hostile archive, OSError when the machine is at its end
    (ENOSPC). What was made until then stays.
    """
    target = Unpacker(directory, marks)
    try:
        return unpack_into(target, stream)
    finally:
        target.close()


def unpack_into(target: Unpacker, stream: ByteStream) -> int:
    """The same for a *target* of whatever rules, which stays open."""
    total_bytes = 0
    for count, entry in enumerate(tarformat.entries(stream)):
        if count >= MAX_ENTRIES:
            raise RegistryError(f"refused: the layer holds more than {MAX_ENTRIES} entries")
        target.add(entry, stream)
        total_bytes += entry.file_bytes
    stream.drain()
    target.finish()
    return total_bytes


def clean_path(name: bytes) -> bytes:
    """*name* relative to the root, b"" for that itself. Raises RegistryError if it leads out."""
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            if not parts:
                raise RegistryError(
                    f"refused: the layer holds an entry outside of its root: {name[:200]!r}",
                    fix="the image is malicious or broken; get it elsewhere",
                )
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    path = b"/".join(parts)
    if len(path) >= _MAX_PATH or b"\0" in path:
        raise RegistryError(f"refused: the layer holds an impossible path: {name[:200]!r}")
    return path


class Unpacker:
    """A directory that is being filled. It must belong to nobody else meanwhile."""

    def __init__(self, directory: str, marks: Marks) -> None:
        self._marks = marks
        self._directory = directory
        self._root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._parent_path: bytes | None = None
        self._parent = -1
        self._times: dict[bytes, int] = {}

    def close(self) -> None:
        self._forget_parent()
        os.close(self._root)

    def add(self, entry: Entry, stream: ByteStream) -> None:
        """Make *entry*, with its content from *stream*."""
        path = clean_path(entry.name)
        try:
            if not path:
                if entry.kind == tarformat.DIRECTORY:
                    self._set_directory(self._root, path, entry)
                else:
                    stream.skip(entry.stored_bytes)
                return
            directory, _, name = path.rpartition(b"/")
            parent = self._open_parent(directory)
            if name.startswith(WHITEOUT):
                stream.skip(entry.stored_bytes)
                self._add_whiteout(parent, name)
            elif entry.kind == tarformat.REGULAR:
                self._add_file(parent, name, entry, stream)
            elif entry.kind == tarformat.DIRECTORY:
                self._add_directory(parent, path, name, entry)
            else:
                self._add_special(parent, name, entry)
        except OSError as exc:
            if exc.errno in _HOST_IS_FULL:
                raise OSError(exc.errno, os.strerror(exc.errno), self._directory) from exc
            raise RegistryError(
                f"cannot unpack {os.fsdecode(entry.name)!r}: {exc.strerror}",
                fix="the layer is malformed, or the file system of the image store cannot hold it",
            ) from exc

    def finish(self) -> None:
        """Set the times of the directories, which everything made in them has changed."""
        for path, mtime_ns in reversed(self._times.items()):
            directory, _, name = path.rpartition(b"/")
            try:
                if not path:
                    os.utime(self._root, ns=(mtime_ns, mtime_ns))
                    continue
                parent = self._open_parent(directory, make=False)
                os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=parent, follow_symlinks=False)
            except OSError as exc:  # replaced by a later entry, with a link to nowhere for one
                if exc.errno in _HOST_IS_FULL:
                    raise

    # -- finding the place ----------------------------------------------------------------------
    def _open_parent(self, path: bytes, *, make: bool = True) -> int:
        """The directory *path*; with *make* it is made with all above it when it is not there."""
        if path == self._parent_path:
            return self._parent
        if not path:
            return self._root
        self._forget_parent()
        text = os.fsdecode(path)
        try:
            fd = safe_open(self._root, text).detach()
        except FileNotFoundError:
            if not make:
                raise
            self._make_implied(path)
            fd = safe_open(self._root, text, create=Create.DIRECTORY).detach()
        self._parent_path, self._parent = path, fd
        return fd

    def _make_implied(self, path: bytes) -> None:
        """Make the directories of *path* that no entry has made, whatever the umask."""
        missing = [path]
        while not self._is_there(missing[-1].rpartition(b"/")[0]):
            missing.append(missing[-1].rpartition(b"/")[0])
        for each in reversed(missing):
            above, _, name = each.rpartition(b"/")
            with safe_open(self._root, os.fsdecode(above) or ".", create=Create.DIRECTORY) as fd:
                try:
                    os.mkdir(name, 0o755, dir_fd=fd.fileno())
                except FileExistsError:
                    continue
                os.chmod(name, 0o755, dir_fd=fd.fileno())  # noqa: S103 (as Docker does)

    def _is_there(self, path: bytes) -> bool:
        try:
            safe_open(self._root, os.fsdecode(path) or ".").close()
        except FileNotFoundError:
            return False
        return True

    def _forget_parent(self) -> None:
        fd, self._parent, self._parent_path = self._parent, -1, None
        if fd >= 0:
            os.close(fd)

    def _make_room(self, parent: int, name: bytes) -> bool:
        """Remove what an earlier entry left at *name*; True when that was a whiteout."""
        if parent != self._parent:
            self._forget_parent()  # it may lie in what is removed here
        status = remove_at(parent, name)
        return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0

    # -- making it ------------------------------------------------------------------------------
    def _add_file(self, parent: int, name: bytes, entry: Entry, stream: ByteStream) -> None:
        try:
            fd = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
        except FileExistsError:
            self._make_room(parent, name)
            fd = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
        try:
            write_content(fd, entry, stream)
            os.fchown(fd, entry.uid, entry.gid)
            if entry.xattrs:
                set_xattrs(fd, entry)
            os.fchmod(fd, entry.mode)
            os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(fd)

    def _add_directory(self, parent: int, path: bytes, name: bytes, entry: Entry) -> None:
        opaque = False
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                opaque = self._make_room(parent, name)
                os.mkdir(name, 0o700, dir_fd=parent)
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            if opaque:
                self._marks.hide_below(fd)
            self._set_directory(fd, path, entry)
        finally:
            os.close(fd)

    def _set_directory(self, fd: int, path: bytes, entry: Entry) -> None:
        os.fchown(fd, entry.uid, entry.gid)
        set_xattrs(fd, entry)
        os.fchmod(fd, entry.mode)
        self._times.pop(path, None)
        self._times[path] = entry.mtime_ns

    def _add_special(self, parent: int, name: bytes, entry: Entry) -> None:
        """A link or a device."""
        try:
            self._make_special(parent, name, entry)
        except FileExistsError:
            self._make_room(parent, name)
            self._make_special(parent, name, entry)
        if entry.kind == tarformat.HARD_LINK:
            return
        os.chown(name, entry.uid, entry.gid, dir_fd=parent, follow_symlinks=False)
        if entry.xattrs:
            set_xattrs(b"/proc/self/fd/%d/%s" % (parent, name), entry)
        if entry.kind != tarformat.SYMLINK:
            os.chmod(name, entry.mode, dir_fd=parent)
        times = (entry.mtime_ns, entry.mtime_ns)
        os.utime(name, ns=times, dir_fd=parent, follow_symlinks=False)

    def _make_special(self, parent: int, name: bytes, entry: Entry) -> None:
        if entry.kind == tarformat.SYMLINK:
            os.symlink(entry.link, name, dir_fd=parent)
        elif entry.kind == tarformat.HARD_LINK:
            self._link(parent, name, entry)
        else:
            device = os.makedev(*entry.device)
            os.mknod(name, _DEVICE_KINDS[entry.kind] | 0o600, device, dir_fd=parent)

    def _link(self, parent: int, name: bytes, entry: Entry) -> None:
        directory, _, target = clean_path(entry.link).rpartition(b"/")
        with safe_open(self._root, os.fsdecode(directory) or ".") as source:
            os.link(
                target,
                name,
                src_dir_fd=source.fileno(),
                dst_dir_fd=parent,
                follow_symlinks=False,
            )

    def _add_whiteout(self, parent: int, name: bytes) -> None:
        if name == OPAQUE_MARKER:
            self._marks.hide_below(parent)
        elif not name.startswith(AUFS):
            hidden = name[len(WHITEOUT) :]
            if hidden in (b"", b".", b".."):
                raise RegistryError(f"refused: the layer holds a malformed whiteout: {name!r}")
            if parent != self._parent:
                self._forget_parent()  # it may lie in what is removed here
            self._marks.hide(parent, hidden)


def write_content(fd: int, entry: Entry, stream: ByteStream) -> None:
    """Put the bytes of *entry* from *stream* into the empty file *fd*."""
    if entry.sparse is None:
        for piece in stream.pieces(entry.stored_bytes):
            _write(fd, piece)
        return
    for extent in entry.sparse:
        os.lseek(fd, extent.offset, os.SEEK_SET)
        for piece in stream.pieces(extent.size):
            _write(fd, piece)
    os.ftruncate(fd, entry.file_bytes)


def _write(fd: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(fd, piece) :]


def set_xattrs(where: int | bytes, entry: Entry) -> None:
    """What the file system does not take is left out, as by Docker; security.capability is not."""
    follow = isinstance(where, int)
    for name, value in entry.xattrs:
        if name.startswith(_FORBIDDEN_XATTRS):
            continue
        try:
            os.setxattr(where, name, value, follow_symlinks=follow)
        except OSError as exc:
            if exc.errno not in _NO_XATTR or name == b"security.capability":
                raise
