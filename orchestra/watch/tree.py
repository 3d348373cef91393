"""Directory trees whose changed files are told: inotify(7) and a snapshot of names beside it.

A watch is placed before its directory is listed, and the listing is compared with what was known:
so nothing is missed in a directory that was made and filled before we could watch it, and after a
queue overflow one listing of everything tells what was lost. What to do about changes is decided
elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from inotify_simple import INotify, flags

from orchestra.errors import OrchestraError
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MASK = int(
    flags.CREATE
    | flags.DELETE
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.MODIFY
    | flags.CLOSE_WRITE
    | flags.ATTRIB
    | flags.MOVE_SELF
    | flags.ONLYDIR
    | flags.DONT_FOLLOW
    | flags.EXCL_UNLINK
)
_GONE = int(flags.DELETE | flags.MOVED_FROM)
_NEW = int(flags.CREATE | flags.MOVED_TO)
_UNKNOWN = 1 << 31


class Seen(NamedTuple):
    """What of a file shows that it has changed. lstat(2)"""

    mode: int
    size: int
    mtime_ns: int
    inode: int

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.mode)


class WatchedTree:
    """*roots* are absolute paths without links: files or directories, which may be missing yet."""

    def __init__(self, roots: Iterable[str], is_skipped: Callable[[str], bool]) -> None:
        """Directories that *is_skipped* are neither watched nor listed.

        Raises OrchestraError when the kernel grants no more watches.
        """
        self._roots = tuple(sorted(set(roots)))
        self._is_skipped = is_skipped
        self._changed: set[str] = set()
        self._begin()
        self._changed.clear()

    def fileno(self) -> int:
        """Readable when `changes` has something to say. Another one after an overflow."""
        descriptor: int = self._inotify.fileno()
        return descriptor

    def files(self, root: str) -> Iterator[str]:
        """*root* and everything known below it, directories first."""
        if root not in self._known:
            yield root
            return
        yield root
        for name, seen in list(self._known[root].items()):
            path = os.path.join(root, name)
            if seen.is_directory and path in self._known:
                yield from self.files(path)
            else:
                yield path

    def changes(self) -> frozenset[str]:
        """The paths that have been made, changed or removed since the last time; never waits."""
        for event in self._inotify.read(timeout=0):
            if event.mask & flags.Q_OVERFLOW:
                self._start_over()
                break
            self._take(event.wd, event.mask, event.name)
        changed, self._changed = self._changed, set()
        return frozenset(changed)

    def close(self) -> None:
        self._inotify.close()

    # -- beginning --------------------------------------------------------------------------------
    def _begin(self) -> None:
        self._inotify = _new_inotify()
        self._directories: dict[int, str] = {}  # watch -> path
        self._watches: dict[str, int] = {}
        self._known: dict[str, dict[str, Seen]] = {}  # directory -> what is in it
        for root in self._roots:
            self._visit(root)

    def _start_over(self) -> None:
        """Events were lost: list everything anew and tell the difference."""
        before = self._known
        self._inotify.close()
        changed = self._changed
        self._begin()
        self._changed = changed | differences(before, self._known)
        self._changed.update(root for root in self._roots if root not in self._known)

    def _visit(self, root: str) -> None:
        """Watch *root*, and the nearest directory above it that exists, for its coming back."""
        above = os.path.dirname(root)
        while not self._watch(above) and above != os.path.dirname(above):
            above = os.path.dirname(above)
        seen = _look(root)
        if seen is not None and seen.is_directory:
            self._list(root)

    # -- events -----------------------------------------------------------------------------------
    def _take(self, watch: int, mask: int, name: str) -> None:
        directory = self._directories.get(watch)
        if directory is None:
            return
        if mask & (flags.IGNORED | flags.MOVE_SELF):
            self._lose(directory)
            return
        if not name:
            return
        path = os.path.join(directory, name)
        if directory in self._known:
            self._update(directory, name, path, mask)
        for root in self._roots:
            if root == path or root.startswith(path + "/"):
                self._revisit(root)

    def _update(self, directory: str, name: str, path: str, mask: int) -> None:
        """*path* of a watched tree has changed."""
        self._changed.add(path)
        seen = _look(path)
        known = self._known[directory]
        if seen is None or mask & _GONE:
            self._forget(path)
        if seen is None:
            known.pop(name, None)
            return
        known[name] = seen
        if seen.is_directory and (mask & _NEW or mask & _GONE):
            self._list(path)

    def _revisit(self, root: str) -> None:
        """Something happened to *root* itself, or above it."""
        self._changed.add(root)
        seen = _look(root)
        if seen is None or not seen.is_directory:
            self._forget(root)
        self._visit(root)

    def _lose(self, directory: str) -> None:
        """The directory behind a watch has gone, or is elsewhere."""
        self._unwatch(directory)
        for root in self._roots:
            if root.startswith(directory + "/") or root == directory:
                self._revisit(root)

    # -- the snapshot -----------------------------------------------------------------------------
    def _list(self, directory: str) -> None:
        """Watch *directory* and all below it, and note what is different from what was known."""
        if self._is_skipped(directory) or not self._watch(directory):
            return
        before = self._known.get(directory, {})
        now = dict(_entries(directory))
        self._known[directory] = now
        for name in before.keys() - now.keys():
            path = os.path.join(directory, name)
            self._changed.add(path)
            self._forget(path)
        for name, seen in now.items():
            path = os.path.join(directory, name)
            if before.get(name) != seen:
                self._changed.add(path)
            if seen.is_directory:
                self._list(path)

    def _forget(self, directory: str) -> None:
        """*directory*, if it was one, has gone with everything in it."""
        entries = self._known.pop(directory, None)
        if entries is None:
            return
        self._unwatch(directory)
        for name in entries:
            path = os.path.join(directory, name)
            self._changed.add(path)
            self._forget(path)

    # -- watches ----------------------------------------------------------------------------------
    def _watch(self, directory: str) -> bool:
        """False when it is no directory (any more), or not ours to look into."""
        try:
            watch = self._inotify.add_watch(directory, _MASK)
        except OSError as exc:
            if exc.errno == errno.ENOSPC:
                raise _too_many(directory, "watches") from exc
            if exc.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
                return False
            raise OSError(exc.errno, exc.strerror, directory) from exc
        self._directories[watch] = directory
        self._watches[directory] = watch
        return True

    def _unwatch(self, directory: str) -> None:
        watch = self._watches.pop(directory, None)
        if watch is None or self._directories.get(watch) != directory:
            return
        del self._directories[watch]
        try:
            self._inotify.rm_watch(watch)
        except OSError as exc:
            if exc.errno != errno.EINVAL:  # it went with the directory
                raise


def differences(before: dict[str, dict[str, Seen]], after: dict[str, dict[str, Seen]]) -> set[str]:
    """The paths that are new, gone or different between two snapshots."""
    found: set[str] = set()
    for directory in before.keys() | after.keys():
        old, new = before.get(directory, {}), after.get(directory, {})
        names = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        found.update(os.path.join(directory, name) for name in names)
    return found


def _entries(directory: str) -> Iterator[tuple[str, Seen]]:
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    yield entry.name, _seen(entry.stat(follow_symlinks=False))
                except FileNotFoundError:
                    continue  # gone since: its event is on the way
    except OSError:
        return


def _look(path: str) -> Seen | None:
    try:
        return _seen(os.lstat(path))
    except OSError:
        return None


def _seen(info: os.stat_result) -> Seen:
    """Of a directory its mode only: its times change with every file in it."""
    if stat.S_ISDIR(info.st_mode):
        return Seen(info.st_mode, 0, 0, info.st_ino)
    return Seen(info.st_mode, info.st_size, info.st_mtime_ns, info.st_ino)


def _new_inotify() -> INotify:
    try:
        return INotify()
    except OSError as exc:
        if exc.errno == errno.EMFILE:
            raise _too_many("files", "instances") from exc
        raise


def _too_many(what: str, things: str) -> OrchestraError:
    """The user's limit, or that of the user namespace where it is lower. user_namespaces(7)"""
    limit, setting = min(
        (_number(name), name)
        for name in (f"fs.inotify.max_user_{things}", f"user.max_inotify_{things}")
    )
    return OrchestraError(
        f"cannot watch {what}: all {limit} inotify {things} that the kernel allows this user are "
        f"in use ({setting})",
        fix=f"`sysctl {setting}={max(8 * limit, 1024)}`, or leave directories out by `ignore`",
    )


def _number(setting: str) -> int:
    try:
        with open("/proc/sys/" + setting.replace(".", "/")) as file:
            return int(file.read())
    except (OSError, ValueError):
        return _UNKNOWN
