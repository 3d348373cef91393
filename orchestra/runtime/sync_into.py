"""Putting files into a running container, and taking some away, through its mount namespace.

A forked child joins the namespace, so every path, link and mount is what the container's processes
see, and nothing can lead out of it; it keeps no more capabilities than files need. Files come as a
tar stream. Each is written beside its place and renamed over it: a program that reads it meanwhile
has the old or the new one whole.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import shutil
import signal
import stat
import tarfile
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from orchestra.errors import NotFound, RuntimeFailure
from orchestra.linux import caps
from orchestra.linux.fds import close_all_but
from orchestra.linux.namespaces import NAMESPACE_FLAGS, open_namespace, setns
from orchestra.linux.procfs import is_running
from orchestra.named import NamedTuple
from orchestra.runtime.failure import StepFailed
from orchestra.runtime.process import look_up_user, shield_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_KEPT = sum(1 << caps.NUMBERS[n] for n in ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"))
_CHUNK = 1 << 20
_MAX_MESSAGE = 4096
_TEMPORARY = ".orchestra-sync"


class Inside(NamedTuple):
    """A running container, by its first process."""

    name: str  # for messages
    pid: int
    start_ticks: int


def sync_into(
    where: Inside, removed: tuple[str, ...], archive: Callable[[int], None], *, owner: str = ""
) -> None:
    """Remove the absolute paths *removed*, then unpack the tar that *archive* writes to an fd.

    Member names count from "/". Files belong to *owner*, "user[:group]" as in the container's
    passwd, or "" for the ids in the archive. Missing directories are made; those that exist keep
    mode and owner. Raises NotFound when the container does not run, RuntimeFailure otherwise.
    """
    with ExitStack() as undo:
        try:
            space = undo.enter_context(open_namespace(where.pid, "mnt"))
        except (FileNotFoundError, ProcessLookupError):
            raise _not_running(where) from None
        if not is_running(where.pid, where.start_ticks):
            raise _not_running(where)
        reader, writer = os.pipe2(os.O_CLOEXEC)
        answer, told = os.pipe2(os.O_CLOEXEC)
        undo.callback(os.close, answer)
        pid = os.fork()
        if pid == 0:
            _Child(space.fileno(), reader, told, removed, owner).run()
        undo.callback(_reap, pid)
        os.close(reader)
        os.close(told)
        _send(writer, archive)
        message = b""
        while block := os.read(answer, _MAX_MESSAGE):
            message += block
        if message != b"ok":
            text = message.decode(errors="replace") or "the process that wrote has been killed"
            raise RuntimeFailure(f"container {where.name}: {text}")


def _send(writer: int, archive: Callable[[int], None]) -> None:
    """A child that has failed stops reading, and says why."""
    try:
        with contextlib.suppress(BrokenPipeError):
            archive(writer)
    finally:
        os.close(writer)


def _reap(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # it has answered, or we have been interrupted
    os.waitpid(pid, 0)


def _not_running(where: Inside) -> NotFound:
    return NotFound(
        f"container {where.name} is not running",
        fix="start it first; `orchestra ps -a` shows why it ended",
    )


class _Child:
    """The child's side: no imports, no locks; its one word or sentence goes to *told*."""

    def __init__(
        self, space: int, archive: int, told: int, removed: tuple[str, ...], owner: str
    ) -> None:
        self._space = space
        self._archive = archive
        self._told = told
        self._removed = removed
        self._owner = owner
        self._path = ""

    def run(self) -> NoReturn:
        try:
            gc.disable()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            close_all_but((self._space, self._archive, self._told))
            self._enter()
            ids = self._owner_ids()
            for path in self._removed:
                self._path = path
                _remove(path)
            self._unpack(ids)
            answer = "ok"
        except StepFailed as exc:
            answer = exc.failure.text
        except OSError as exc:
            path = exc.filename if isinstance(exc.filename, str) else self._path
            fix = "; its root file system is read-only" if exc.errno == errno.EROFS else ""
            answer = f"{path}: {exc.strerror or exc}{fix}"
        except Exception as exc:  # noqa: BLE001 (the root of a forked process)
            answer = f"{type(exc).__name__}: {exc}"
        with contextlib.suppress(OSError):
            os.write(self._told, answer.encode(errors="replace")[:_MAX_MESSAGE])
        os._exit(0)

    def _enter(self) -> None:
        shield_memory()
        setns(self._space, NAMESPACE_FLAGS["mnt"])
        os.chdir("/")
        os.umask(0)
        caps.capset(caps.CapabilitySets(*(caps.capget().permitted & _KEPT,) * 2, 0))

    def _owner_ids(self) -> tuple[int, int] | None:
        if not self._owner:
            return None
        user = look_up_user(self._owner)
        return user.uid, user.gid

    def _unpack(self, ids: tuple[int, int] | None) -> None:
        with (
            os.fdopen(self._archive, "rb") as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            for member in archive:
                self._path = path = os.path.normpath("/" + member.name)
                uid, gid = ids or (member.uid, member.gid)
                _make_parents(path, uid, gid)
                if member.isdir():
                    _make_directory(path, member.mode, uid, gid)
                elif member.issym():
                    _put_link(path, member.linkname, uid, gid)
                elif member.isreg():
                    _put_file(path, archive.extractfile(member), member, (uid, gid))


def _make_parents(path: str, uid: int, gid: int) -> None:
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        _make_parents(parent, uid, gid)
        _make_directory(parent, 0o755, uid, gid)


def _make_directory(path: str, mode: int, uid: int, gid: int) -> None:
    if os.path.isdir(path):
        return
    if os.path.lexists(path):
        os.unlink(path)
    os.mkdir(path, mode)
    os.chown(path, uid, gid)


def _put_link(path: str, target: str, uid: int, gid: int) -> None:
    if os.path.islink(path) and os.readlink(path) == target:
        return
    temporary = _beside(path)
    _remove(temporary)
    os.symlink(target, temporary)
    os.chown(temporary, uid, gid, follow_symlinks=False)
    _replace(temporary, path)


def _put_file(
    path: str, content: IO[bytes] | None, member: tarfile.TarInfo, ids: tuple[int, int]
) -> None:
    temporary = _beside(path)
    _remove(temporary)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(temporary, flags, 0o600), "wb", buffering=0) as file:
        _finish(file, content, member, ids)
    try:
        _replace(temporary, path)
    except OSError as exc:
        if exc.errno != errno.EBUSY:  # a file that is mounted there: only its content can change
            raise
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(temporary, "rb") as source, os.fdopen(os.open(path, flags), "wb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.truncate()
                shutil.copyfileobj(source, file, _CHUNK)
    finally:
        _remove(temporary)


def _finish(
    file: IO[bytes], content: IO[bytes] | None, member: tarfile.TarInfo, ids: tuple[int, int]
) -> None:
    if content is not None:
        shutil.copyfileobj(content, file, _CHUNK)
    os.fchown(file.fileno(), *ids)
    os.fchmod(file.fileno(), member.mode & 0o7777)
    os.utime(file.fileno(), (member.mtime, member.mtime))


def _replace(temporary: str, path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        _remove(path)
    os.rename(temporary, path)


def _beside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f"{_TEMPORARY}-{os.getpid()}")


def _remove(path: str) -> None:
    """*path* and all in it; a link itself, never what it leads to. Missing is fine."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return
