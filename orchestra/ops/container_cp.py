"""`container cp`: files into a container and out of it, by the rules of `docker container cp`.

Both sides speak tar (`image.treetar`, `image.copy_target`), so that "-" is just the archive itself.
Paths in the container are resolved inside of its root: no link there leads to the host's files, and
what a container's content is called cannot lead out of the directory that it is copied to.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from typing import TYPE_CHECKING, Protocol

from orchestra.errors import Conflict, NotFound, OrchestraError, RuntimeFailure
from orchestra.image.bytestream import ByteStream
from orchestra.image.copy_target import CopyTarget, Owner
from orchestra.image.decompress import Limit, decompressed
from orchestra.image.treetar import file_archive, tree_archive
from orchestra.image.unpack import unpack_into
from orchestra.linux.fds import Fd
from orchestra.linux.safe_open import MAX_LINKS, safe_open
from orchestra.named import NamedTuple
from orchestra.ops.container_root import open_root, read_spec
from orchestra.ops.copy_rules import (
    Destination,
    Source,
    asserts_directory,
    in_container,
    landing,
    source_name,
    with_ending,
)
from orchestra.runtime.eventlog import note
from orchestra.runtime.users import UserError, find_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.model.state import ContainerState
    from orchestra.ops.container_root import ContainerRoot
    from orchestra.ops.host import Host
    from orchestra.runtime.rootview import FileId

STREAM = "-"
_NO_LIMIT = Limit(free_bytes=1 << 62)
_MAX_PASSWD_BYTES = 1 << 20


class CopyOptions(NamedTuple):
    """*archive*: what is copied in belongs to the container's user. *counted* hears of bytes."""

    follow_link: bool = False
    archive: bool = False
    counted: Callable[[int], None] | None = None


def copy_from(
    host: Host, state: ContainerState, source: str, destination: str, options: CopyOptions
) -> None:
    """Copy *source* of the container to *destination* here; "-" is a tar archive on stdout.

    The copies belong to the caller, and are neither set-user-ID nor have capabilities. Raises
    NotFound, Conflict, RuntimeFailure.
    """
    with open_root(host, state) as root:
        tree = _ContainerTree(root, state)
        path = in_container(source)
        with _opened(tree, path, follow=options.follow_link) as found:
            if destination == STREAM:
                _write_stream(found.chunks(found.source.name or ".", sparse=False), options)
            else:
                _copy(found, _Here(), _absolute(destination), options, _caller())
    note(host.layout, state, "archive-path")


def copy_to(
    host: Host, state: ContainerState, source: str, destination: str, options: CopyOptions
) -> None:
    """Copy *source*, "-" for a tar archive on stdin, to *destination* in the container.

    Raises NotFound, Conflict, RuntimeFailure.
    """
    with open_root(host, state) as root:
        tree = _ContainerTree(root, state)
        path = in_container(destination)
        owner = _user_of(host, state, root) if options.archive else None
        if source != STREAM:
            with _opened(_Here(), _absolute(source), follow=options.follow_link) as found:
                _copy(found, tree, path, options, owner)
        else:
            where = _destination(tree, path)
            if not where.is_directory:
                raise NotFound(
                    f'destination "{state.name}:{destination}" must be a directory',
                    fix="an archive can only be unpacked into a directory that exists",
                )
            chunks = decompressed(sys.stdin.buffer, _NO_LIMIT)
            _unpack(_counted(chunks, options), tree, where.path, owner)
    note(host.layout, state, "extract-to-dir")


class _Tree(Protocol):
    """Files below one root."""

    def open(self, path: str) -> Fd:
        """*path*, links followed, with O_PATH. Raises OSError."""
        ...

    def target(self, directory: str, opened: int, owner: Owner | None) -> CopyTarget:
        """What writes into *directory*, which *opened* is."""
        ...

    def named(self, path: str) -> str:
        """*path* for messages."""
        ...

    @property
    def hidden(self) -> frozenset[FileId]: ...


class _Here:
    """The caller's own files."""

    hidden: frozenset[FileId] = frozenset()

    def open(self, path: str) -> Fd:
        return Fd(os.open(path, os.O_PATH | os.O_CLOEXEC))

    def target(self, directory: str, opened: int, owner: Owner | None) -> CopyTarget:  # noqa: ARG002
        return CopyTarget(opened, "", owner, privileges=False)

    def named(self, path: str) -> str:
        return path


class _ContainerTree:
    """A container's files."""

    def __init__(self, root: ContainerRoot, state: ContainerState) -> None:
        self._root = root.fd.fileno()
        self._state = state
        self.hidden = root.hidden

    def open(self, path: str) -> Fd:
        return safe_open(self._root, path)

    def target(self, directory: str, opened: int, owner: Owner | None) -> CopyTarget:
        if os.fstatvfs(opened).f_flag & os.ST_RDONLY:
            raise Conflict(
                f"{self.named(directory)} is read-only: so is the container's root, or a mount",
                fix="copy to a volume or bind mount that may be written to",
            )
        return CopyTarget(self._root, directory, owner)

    def named(self, path: str) -> str:
        return f"{self._state.name}:{path}"


class _Found(NamedTuple):
    """An opened source: *entry* is it, or for what is no directory its name in *parent*."""

    source: Source
    parent: int
    name: str
    hidden: frozenset[FileId]

    def chunks(self, named: str, *, sparse: bool) -> Iterator[bytes]:
        """The archive of it, as *named*."""
        if self.source.is_directory:
            return tree_archive(self.parent, named, sparse=sparse, hidden=self.hidden)
        return file_archive(self.parent, self.name, named, sparse=sparse)


@contextlib.contextmanager
def _opened(tree: _Tree, path: str, *, follow: bool) -> Iterator[_Found]:
    """The source *path* of *tree*. Raises NotFound."""
    with _told(tree, path), contextlib.ExitStack() as undo:
        place = _without_link(tree, path) if follow else path
        directory, name = os.path.split(place.rstrip("/"))
        if asserts_directory(place) or not name or name == "..":
            opened = undo.enter_context(tree.open(place))
            parent, status = opened.fileno(), os.fstat(opened.fileno())
            if not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), place)
        else:
            parent = undo.enter_context(tree.open(directory or "/")).fileno()
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                parent = undo.enter_context(tree.open(place)).fileno()
        source = Source(source_name(path), stat.S_ISDIR(status.st_mode))
        yield _Found(source, parent, name, tree.hidden)


def _copy(found: _Found, tree: _Tree, path: str, options: CopyOptions, owner: Owner | None) -> None:
    """To *path* of *tree*."""
    where = landing(found.source, _destination(tree, path))
    chunks = found.chunks(where.name, sparse=True)
    _unpack(_counted(chunks, options), tree, where.directory, owner)


def _destination(tree: _Tree, path: str) -> Destination:
    with _told(tree, path):
        place = _without_link(tree, path)
        try:
            with tree.open(place) as there:
                return Destination(place, True, stat.S_ISDIR(os.fstat(there.fileno()).st_mode))  # noqa: FBT003
        except FileNotFoundError:
            return Destination(place, exists=False, is_directory=False)


def _unpack(chunks: Iterator[bytes], tree: _Tree, directory: str, owner: Owner | None) -> None:
    with contextlib.ExitStack() as undo:
        with _told(tree, directory):
            opened = undo.enter_context(tree.open(directory))
            if not stat.S_ISDIR(os.fstat(opened.fileno()).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), directory)
        target = tree.target(directory, opened.fileno(), owner)
        undo.callback(target.close)
        unpack_into(target, ByteStream(chunks))


def _without_link(tree: _Tree, path: str) -> str:
    """*path*, or what it leads to when its end is a link, be it to nowhere. Raises OSError."""
    place = path
    for _ in range(MAX_LINKS):
        directory, name = os.path.split(place.rstrip("/"))
        if name in ("", ".", ".."):
            return place
        try:
            with tree.open(directory or "/") as parent:
                target = os.readlink(name, dir_fd=parent.fileno())
        except OSError:
            return place
        place = with_ending(os.path.join(directory or "/", target), place)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)


@contextlib.contextmanager
def _told(tree: _Tree, path: str) -> Iterator[None]:
    """What the kernel says of *path*, as an error of ours."""
    try:
        yield
    except FileNotFoundError as exc:
        raise NotFound(f"{tree.named(path)}: no such file or directory") from exc
    except (NotADirectoryError, PermissionError) as exc:
        raise NotFound(f"{tree.named(path)}: {os.strerror(exc.errno or 0).lower()}") from exc
    except OSError as exc:
        raise RuntimeFailure(f"{tree.named(path)}: {os.strerror(exc.errno or 0).lower()}") from exc


def _counted(chunks: Iterator[bytes], options: CopyOptions) -> Iterator[bytes]:
    if options.counted is None:
        return chunks
    return _counting(chunks, options.counted)


def _counting(chunks: Iterator[bytes], counted: Callable[[int], None]) -> Iterator[bytes]:
    for chunk in chunks:
        counted(len(chunk))
        yield chunk


def _write_stream(chunks: Iterator[bytes], options: CopyOptions) -> None:
    for chunk in _counted(chunks, options):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _absolute(path: str) -> str:
    if not path:
        raise OrchestraError("a path cannot be empty")
    return with_ending(os.path.abspath(path), path)


def _caller() -> Owner:
    status = os.stat("/proc/self")  # of the effective user
    return Owner(status.st_uid, status.st_gid)


def _user_of(host: Host, state: ContainerState, root: ContainerRoot) -> Owner | None:
    """Whom the container's command runs as; None where nobody was named."""
    user = read_spec(host.layout, state).process.user
    if not user:
        return None
    texts = (_text(root.fd.fileno(), "/etc/passwd"), _text(root.fd.fileno(), "/etc/group"))
    try:
        found = find_user(user, (), *texts)
    except UserError as exc:
        raise NotFound(f"container {state.name}: {exc}") from exc
    return Owner(found.uid, found.gid)


def _text(root: int, path: str) -> str:
    try:
        with safe_open(root, path) as place, open(place.path, "rb") as file:
            return file.read(_MAX_PASSWD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
