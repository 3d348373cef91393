"""Writes what COPY and ADD have selected. Runs in a process whose root is the image's.

So every path here is the image's own, links are followed inside of it, and nothing can be reached
outside. Sources are read through descriptors that were opened before. Dockerfile reference, COPY.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from orchestra.build.halves import in_halves
from orchestra.build.selection import CopyError
from orchestra.runtime.users import UserError, find_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orchestra.build.filemode import Mode
    from orchestra.build.instructions.paths import Inline
    from orchestra.build.selection import Item, Match, Source

_CHUNK = 1 << 20
_SOURCE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_CAPABILITY = "security.capability"
_NOT_IN_KERNEL = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
_IDS = 2**32 - 1
"""The largest id and one: the largest is chown(2)'s word for "as it is"."""

T = TypeVar("T")


class Job(NamedTuple):
    """*destination* is absolute; with a slash at its end it is a directory.

    *unpacks*: files that are tar archives are unpacked in place of being copied.
    """

    source: Source
    matches: tuple[Match, ...]
    inline: tuple[Inline, ...]
    destination: str
    chown: str = ""
    mode: Mode | None = None
    parents: bool = False
    unpacks: bool = False


def carry_out(job: Job) -> None:
    """Raises CopyError, OSError."""
    _Writer(job).run()


def make_directory(path: str, user: str) -> None:
    """*path* and what is missing above it; new directories belong to *user*. Raises CopyError."""
    make_directories(path, _owner(user) if user else (0, 0))


def make_directories(path: str, owner: tuple[int, int] | None) -> None:
    """*path* and what is missing above it, owned by *owner*. Raises CopyError, OSError."""
    missing = []
    while path not in ("", "/") and not os.path.isdir(path):
        if os.path.islink(path):
            path = os.path.realpath(path)
            continue
        if os.path.lexists(path):
            raise CopyError(f"{path} is no directory in the image")
        missing.append(path)
        path = os.path.dirname(path)
    for each in reversed(missing):
        os.mkdir(each)
        os.chmod(each, 0o755)  # noqa: S103 (whatever the umask; as Docker)
        if owner is not None:
            os.chown(each, *owner)


def make_directory_here(path: str) -> None:
    """*path*, or what is there already if that is a directory. Raises CopyError."""
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        if not os.path.isdir(path):
            raise CopyError(f"cannot copy a directory over the file {path}") from None


class _Writer:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._owner = _owner(job.chown) if job.chown else job.source.owner
        self._times: list[tuple[str, int]] = []
        self._written: dict[tuple[int, int], str] = {}

    def run(self) -> None:
        job = self._job
        self._check_destination()
        for match in job.matches:
            self._written.clear()
            self._copy_parents(match)
            if match.is_directory and not job.parents:
                self._copy_directory(match.items, job.destination)
            elif match.is_directory:
                self._copy_directory(match.items, os.path.join(job.destination, match.name))
            else:
                self._copy_file(match)
        for inline in job.inline:
            path = self._file_path(inline.name)
            self._make_parents(path)
            self._write_text(path, inline.text)
        for path, mtime_ns in reversed(self._times):
            os.utime(path, ns=(mtime_ns, mtime_ns), follow_symlinks=False)

    def _check_destination(self) -> None:
        """Several files want a directory, be it there or named so. Raises CopyError."""
        files = [match for match in self._job.matches if not match.is_directory]
        if len(self._job.matches) > 1 and files and self._is_one_name():
            raise CopyError(
                f"{len(self._job.matches)} files match, but {self._job.destination} is no "
                "directory: end it with a slash"
            )

    def _is_one_name(self) -> bool:
        destination = self._job.destination
        return not (destination.endswith("/") or self._job.parents or os.path.isdir(destination))

    # -- where it goes --------------------------------------------------------------------------
    def _file_path(self, name: str) -> str:
        destination = self._job.destination
        return destination if self._is_one_name() else os.path.join(destination, name)

    def _make_parents(self, path: str) -> None:
        make_directories(os.path.dirname(path), self._owner)

    def _copy_parents(self, match: Match) -> None:
        """The directories of the path, and it itself when it is one, with modes and owners."""
        if not self._job.parents:
            return
        make_directories(self._job.destination.rstrip("/") or "/", self._owner)
        for item in match.above:
            self._copy_item(item, os.path.join(self._job.destination, item.target))
        if match.is_directory:
            self._copy_item(match.items[0], os.path.join(self._job.destination, match.name))

    # -- one thing ------------------------------------------------------------------------------
    def _copy_file(self, match: Match) -> None:
        (item,) = match.items
        if self._job.unpacks and stat.S_ISREG(item.status.st_mode) and self._unpack(item):
            return
        path = self._file_path(match.name)
        self._make_parents(path)
        self._copy_item(item, path)

    def _unpack(self, item: Item) -> bool:
        """Unpack *item* into the destination; False when it is no archive."""
        from orchestra.build.unpacking import unpack  # imported before the fork, where ADD needs it

        fd = os.open(item.path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._job.source.root)
        with open(fd, "rb") as file:
            owner = self._owner if self._job.chown else None
            top = self._job.destination.rstrip("/") or "/"
            return unpack(file, item.path, top, owner, parents=self._owner)

    def _copy_directory(self, items: Iterable[Item], destination: str) -> None:
        """Its content: the directory itself is not copied, so a new one is as any new parent.

        As in BuildKit, whose `COPY private /new` makes a /new that everybody can enter.
        """
        top = destination.rstrip("/")
        make_directories(top or "/", self._owner)
        files = []
        for item in items:
            if stat.S_ISREG(item.status.st_mode) and item.status.st_nlink == 1:
                files.append(item)  # these need nothing of each other
            elif item.target:
                self._copy_item(item, f"{top}/{item.target}")

        def copy(some: Sequence[Item]) -> None:
            for item in some:
                self._copy_regular(item, f"{top}/{item.target}")

        in_halves(copy, files, _size, CopyError)

    def _copy_item(self, item: Item, path: str) -> None:
        mode = item.status.st_mode
        if stat.S_ISREG(mode):
            if item.status.st_nlink == 1 or not self._link(item, path):
                self._copy_regular(item, path)
        elif stat.S_ISDIR(mode):
            make_directory_here(path)
            self._dress(item, path)
        elif stat.S_ISSOCK(mode):  # nobody would listen
            with suppress(FileNotFoundError):
                _remove_file(path)
        else:
            _in_place(path, partial(self._make_special, item, path))
            self._dress(item, path)

    def _make_special(self, item: Item, path: str) -> None:
        mode = item.status.st_mode
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(item.path, dir_fd=self._job.source.root), path)
        elif stat.S_ISFIFO(mode):
            os.mkfifo(path)
        else:
            os.mknod(path, stat.S_IFMT(mode) | 0o600, item.status.st_rdev)

    def _link(self, item: Item, path: str) -> bool:
        """Names of one file below one source stay so, as with BuildKit; False for the first."""
        first = self._written.setdefault((item.status.st_dev, item.status.st_ino), path)
        if first == path or not os.path.lexists(first):
            return False
        _in_place(path, partial(os.link, first, path, follow_symlinks=False))
        return True

    def _copy_regular(self, item: Item, path: str) -> None:
        """Most of what there is to copy: as few calls as will do, and by descriptor."""
        source = os.open(item.path, _SOURCE, dir_fd=self._job.source.root)
        try:
            target = _in_place(path, partial(os.open, path, _NEW_FILE, 0o600))
            try:
                _copy_bytes(source, target, item.status.st_size)
                self._dress_file(item.status, source, target)
            except OSError as exc:
                exc.filename = path  # which a call by descriptor does not know
                raise
            finally:
                os.close(target)
        finally:
            os.close(source)

    def _dress_file(self, status: os.stat_result, source: int, target: int) -> None:
        """As `_dress`; capabilities come after chown(2) as well, and times at the end."""
        os.fchown(target, *(self._owner or (status.st_uid, status.st_gid)))
        os.fchmod(target, self._mode(status.st_mode))
        for name in _attributes(source):
            if name == _CAPABILITY or name.startswith("user."):
                os.setxattr(target, name, os.getxattr(source, name))
        os.utime(target, ns=(status.st_mtime_ns, status.st_mtime_ns))

    def _dress(self, item: Item, path: str) -> None:
        """Owner, mode and times; chown(2) comes first, since it clears set-uid bits."""
        status = item.status
        owner = self._owner or (status.st_uid, status.st_gid)
        os.chown(path, *owner, follow_symlinks=False)
        is_link = stat.S_ISLNK(status.st_mode)
        if not is_link:
            os.chmod(path, self._mode(status.st_mode))
        if stat.S_ISDIR(status.st_mode):
            self._times.append((path, status.st_mtime_ns))
        else:
            times = (status.st_mtime_ns, status.st_mtime_ns)
            os.utime(path, ns=times, follow_symlinks=False)

    def _mode(self, mode: int) -> int:
        own = stat.S_IMODE(mode)
        if self._job.mode is None:
            return own
        return self._job.mode.applied_to(own, is_directory=stat.S_ISDIR(mode))

    def _write_text(self, path: str, text: str) -> None:
        fd = _in_place(path, partial(os.open, path, _NEW_FILE, 0o644))
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchown(fd, *(self._owner or (0, 0)))
            os.fchmod(fd, self._mode(stat.S_IFREG | 0o644))


def _size(item: Item) -> int:
    return item.status.st_size


def _in_place(path: str, make: Callable[[], T]) -> T:
    """What *make* gives, which makes *path*: in place of a file or link that is there.

    There seldom is one, so nobody looks before. Raises CopyError for a directory.
    """
    try:
        return make()
    except FileExistsError:
        _remove_file(path)
        return make()


def _remove_file(path: str) -> None:
    if stat.S_ISDIR(os.lstat(path).st_mode):
        raise CopyError(f"cannot copy a file over the directory {path}")
    os.unlink(path)


def _copy_bytes(source: int, target: int, size: int) -> None:
    """*size* is what stat(2) has said of the source, which may have changed since then.

    A small file takes one read(2) and one write(2): the byte more that is asked for shows that
    there are no more. The buffer is no larger, since the pages of a large one cost more than that.
    """
    if size < _CHUNK:
        data = os.read(source, size + 1)
        _write_all(target, data)
        if len(data) == size:
            return
    _copy_in_kernel(source, target)
    while data := os.read(source, _CHUNK):
        _write_all(target, data)


def _copy_in_kernel(source: int, target: int) -> None:
    """Copy the rest, where the file systems allow it."""
    offset = 0
    try:
        while count := os.copy_file_range(source, target, 1 << 30):
            offset += count
    except OSError as exc:
        if offset or exc.errno not in _NOT_IN_KERNEL:
            raise


def _attributes(source: int) -> list[str]:
    try:
        return os.listxattr(source)
    except OSError:  # a file system that has none
        return []


def _write_all(target: int, data: bytes) -> None:
    written = os.write(target, data)
    while written < len(data):
        written += os.write(target, data[written:])


def _owner(chown: str) -> tuple[int, int]:
    """The ids of `user`, `user:group`; a bare number is the group's id as well."""
    user, _, group = chown.partition(":")
    if user.isdecimal() and (group or user).isdecimal():  # a container's user has fewer bits
        uid, gid = int(user), int(group or user)
        if max(uid, gid) >= _IDS:
            raise CopyError(f"--chown={chown}: ids go up to {_IDS - 1}")
        return uid, gid
    try:
        found = find_user(f"{user}:{group}" if group else user, (), *_accounts())
    except UserError as exc:
        raise CopyError(f"--chown={chown}: {exc}") from exc
    gid = found.uid if user.isdecimal() and not group else found.gid
    return found.uid, gid


def _accounts() -> tuple[str, str]:
    texts = []
    for path in ("/etc/passwd", "/etc/group"):
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                texts.append(file.read())
        except (FileNotFoundError, NotADirectoryError):
            texts.append("")
    return texts[0], texts[1]
