"""What a layer's whiteouts become: marks for overlayfs, or deletions in a copy of the layers below.

Where the file system takes no such marks (an overlay, NFS) they stay files as in the archive; only
copies are made of such layers, and `difftar` passes them on as they are.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Protocol

from orchestra.linux.remove_tree import remove_tree

OPAQUE = "trusted.overlay.opaque"
WHITEOUT, OPAQUE_MARKER, AUFS = b".wh.", b".wh..wh..opq", b".wh..wh."

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MARKER_FILE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_TAKEN = frozenset({errno.EPERM, errno.ENOTSUP, errno.EINVAL})


class Marks(Protocol):
    def hide(self, parent: int, name: bytes) -> None:
        """What lower layers have as *name* in the directory *parent* is not to be seen."""
        ...

    def hide_below(self, directory: int) -> None:
        """Nothing of what lower layers have in *directory* is to be seen."""
        ...


class OverlayMarks:
    """In the form of overlayfs (kernel docs, "whiteouts and opaque directories")."""

    def hide(self, parent: int, name: bytes) -> None:
        """What this layer itself has there stays; a directory of its own hides those below."""
        try:
            os.mknod(name, stat.S_IFCHR, os.makedev(0, 0), dir_fd=parent)
        except FileExistsError:
            with contextlib.suppress(NotADirectoryError):
                fd = os.open(name, _DIRECTORY, dir_fd=parent)
                try:
                    self.hide_below(fd)
                finally:
                    os.close(fd)
        except OSError as exc:
            if exc.errno not in _NOT_TAKEN:
                raise
            _leave_file(parent, WHITEOUT + name)

    def hide_below(self, directory: int) -> None:
        try:
            os.setxattr(f"/proc/self/fd/{directory}", OPAQUE, b"y")
        except OSError as exc:
            if exc.errno not in _NOT_TAKEN:
                raise
            _leave_file(directory, OPAQUE_MARKER)


class Deletions:
    """On a copy of the lower layers, which loses what is hidden."""

    def hide(self, parent: int, name: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            remove_at(parent, name)

    def hide_below(self, directory: int) -> None:
        readable = os.open(".", _DIRECTORY, dir_fd=directory)  # that one may be O_PATH
        try:
            for name in os.listdir(readable):
                remove_at(readable, os.fsencode(name))
        finally:
            os.close(readable)


def remove_at(parent: int, name: bytes) -> os.stat_result:
    """Remove *name* in *parent*, a directory with all below it; what it was. Raises OSError."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        fd = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            remove_tree(os.readlink(f"/proc/self/fd/{fd}"))
        finally:
            os.close(fd)
    else:
        os.unlink(name, dir_fd=parent)
    return status


def _leave_file(directory: int, name: bytes) -> None:
    os.close(os.open(name, _MARKER_FILE, 0o600, dir_fd=directory))
