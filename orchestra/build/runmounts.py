"""RUN --mount: what each kind of mount becomes for the container, and what of it is in the key."""

from __future__ import annotations

import fcntl
import hashlib
import os
import posixpath
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.filesystem import NO_FILES
from orchestra.build.instructions.mount import MountType, RunMount, Sharing
from orchestra.build.instructions.paths import Paths
from orchestra.build.settings import absolute
from orchestra.build.source import error_at
from orchestra.build.transfer import Content, Options, find_content, plan_transfer, transfer_files
from orchestra.model.container import FileContent, Mount, MountKind, Pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.build.instructions.run import Run
    from orchestra.build.origins import Toolbox
    from orchestra.build.request import BuildRequest
    from orchestra.build.steps import StepContext
    from orchestra.build.transfer import Origin, Transfer
    from orchestra.model.build import Secret

SCRIPT = "/dev/pipes/EOF"
"""Where a heredoc that is a program is mounted, as with BuildKit."""

_CONTENT = "/content"
_NOTHING = Content("")
_MOST_PRIVATE = 1000


class Prepared(NamedTuple):
    """*targets* may have been made in the image's files to mount something on."""

    mounts: tuple[Mount, ...]
    files: tuple[FileContent, ...]
    env: Pairs
    targets: tuple[str, ...]


class _Bind(NamedTuple):
    transfer: Transfer
    origin: Origin


class RunMounts:
    """The mounts of one RUN. Raises BuildError for what cannot be had."""

    def __init__(
        self, toolbox: Toolbox, request: BuildRequest, context: StepContext, command: Run
    ) -> None:
        self._toolbox = toolbox
        self._request = request
        self._context = context
        self._command = command
        self._binds = {
            number: self._bind(mount)
            for number, mount in enumerate(command.mounts)
            if mount.type is MountType.BIND or (mount.type is MountType.CACHE and mount.from_)
        }
        self._contents: dict[int, Content] = {}

    def key_parts(self) -> list[object]:
        """Contents of binds count, and what caches begin with; their own and secrets do not."""
        parts: list[object] = []
        for number, mount in enumerate(self._command.mounts):
            content = self._content(number)
            parts.append([mount.type.value, mount.target, mount.source, mount.id, content.digest])
        return parts

    def _content(self, number: int) -> Content:
        """What the mount takes from elsewhere, which may be nothing."""
        if number in self._binds and number not in self._contents:
            self._contents[number] = find_content(*self._binds[number])
        return self._contents.get(number, _NOTHING)

    @contextmanager
    def prepared(self) -> Iterator[Prepared]:
        """Everything in its place, for as long as the command runs."""
        mounts: list[Mount] = []
        files: list[FileContent] = []
        env: list[tuple[str, str]] = []
        with ExitStack() as undo:
            for number, mount in enumerate(self._command.mounts):
                if mount.type is MountType.BIND:
                    mounts.append(self._materialised(number, mount, undo))
                elif mount.type is MountType.CACHE:
                    mounts.append(self._cache(number, mount, undo))
                elif mount.type is MountType.TMPFS:
                    target = self._target(mount)
                    mounts.append(
                        Mount(kind=MountKind.TMPFS, target=target, size_bytes=mount.size_bytes)
                    )
                elif mount.type is MountType.SECRET:
                    self._secret(mount, files, env)
                else:
                    self._ssh(mount, mounts, env)
            if (self._command.script or "").startswith("#!"):
                mounts.append(self._script(self._command.script or "", undo))
            targets = (*(each.target for each in mounts), *(each.target for each in files))
            yield Prepared(tuple(mounts), tuple(files), tuple(env), targets)

    def _target(self, mount: RunMount) -> str:
        return absolute(self._context.state.settings, mount.target).rstrip("/") or "/"

    # -- bind -----------------------------------------------------------------------------------
    def _bind(self, mount: RunMount) -> _Bind:
        where = self._context.sources.get(mount.from_) if mount.from_ else None
        origin = self._toolbox.origin(where, self._context.states, self._command.place)
        paths = Paths((mount.source or "/",), (), _CONTENT)
        return _Bind(plan_transfer(self._command, paths, _CONTENT, Options()), origin)

    def _materialised(self, number: int, mount: RunMount, undo: ExitStack) -> Mount:
        """A copy: the command sees no hidden file, and what it writes is thrown away."""
        directory = self._toolbox.work.directory("bind")
        undo.callback(self._toolbox.discard, directory)
        rootfs = self._toolbox.mounter.rootfs(NO_FILES, directory)
        at = os.path.join(directory, "mnt")
        transfer_files(*self._binds[number], rootfs, at, self._content(number).matches)
        return Mount(
            kind=MountKind.BIND,
            source=rootfs.overlays[0].upper + _CONTENT,
            target=self._target(mount),
            read_only=mount.read_only,
        )

    def _script(self, text: str, undo: ExitStack) -> Mount:
        directory = self._toolbox.work.directory("script")
        undo.callback(self._toolbox.discard, directory)
        path = os.path.join(directory, "EOF")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o755)
        return Mount(kind=MountKind.BIND, source=path, target=SCRIPT, read_only=True)

    # -- cache ----------------------------------------------------------------------------------
    def _cache(self, number: int, mount: RunMount, undo: ExitStack) -> Mount:
        """A cache that begins with other content is another one, as with BuildKit."""
        parts = [mount.id or self._target(mount), mount.source, self._content(number).digest]
        whole = "\0".join(parts).rstrip("\0")
        name = hashlib.sha256(whole.encode()).hexdigest()[:32]
        return Mount(
            kind=MountKind.BIND,
            source=self._locked_cache(mount, name, undo, self._binds.get(number)),
            target=self._target(mount),
            read_only=mount.read_only,
        )

    def _locked_cache(
        self, mount: RunMount, name: str, undo: ExitStack, filling: _Bind | None
    ) -> str:
        """The cache's directory; another one while it is used by others and is private."""
        numbers = range(_MOST_PRIVATE) if mount.sharing is Sharing.PRIVATE else range(1)
        for number in numbers:
            path = os.path.join(self._toolbox.caches, f"{name}-{number}" if number else name)
            fd = self._opened_cache(path, mount, filling)
            undo.callback(os.close, fd)
            if mount.sharing is Sharing.SHARED:
                fcntl.flock(fd, fcntl.LOCK_SH)
                return path
            try:
                flags = fcntl.LOCK_NB if mount.sharing is Sharing.PRIVATE else 0
                fcntl.flock(fd, fcntl.LOCK_EX | flags)
            except BlockingIOError:
                continue
            return path
        raise error_at(self._command.place, f"RUN: {_MOST_PRIVATE} builds use this private cache")

    def _opened_cache(self, path: str, mount: RunMount, filling: _Bind | None) -> int:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        if filling is not None and not os.path.isdir(path):
            self._fill_cache(path, filling)
        with suppress(FileExistsError):
            os.mkdir(path)
            os.chmod(path, 0o755 if mount.mode is None else mount.mode)
            os.chown(path, mount.uid or 0, mount.gid or 0)
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _fill_cache(self, path: str, filling: _Bind) -> None:
        """Make the cache with what it begins with, unless somebody else is faster."""
        directory = self._toolbox.work.directory("cache")
        try:
            rootfs = self._toolbox.mounter.rootfs(NO_FILES, directory)
            at = os.path.join(directory, "mnt")
            transfer_files(filling.transfer, filling.origin, rootfs, at)
            content = rootfs.overlays[0].upper + _CONTENT
            if not os.path.isdir(content):
                what = "RUN: a cache mount is filled from a directory, and this is a file"
                raise error_at(self._command.place, what)
            with suppress(OSError):
                os.rename(content, path)
        finally:
            self._toolbox.discard(directory)

    # -- secret and ssh -------------------------------------------------------------------------
    def _secret(
        self, mount: RunMount, files: list[FileContent], env: list[tuple[str, str]]
    ) -> None:
        name = mount.id or mount.source or posixpath.basename(mount.target)
        secret = self._request.secrets.get(name)
        if secret is None:
            if mount.required:
                raise error_at(
                    self._command.place,
                    f'RUN: the secret "{name}" is required and was not given',
                    f"give it by --secret id={name},src=FILE, or in `build.secrets`",
                )
            return
        if mount.env is not None:
            env.append((mount.env or name, self._text(name, secret)))
        if mount.env is None or mount.target:
            files.append(
                FileContent(
                    target=self._target(mount) if mount.target else f"/run/secrets/{name}",
                    source=secret.path,
                    content=secret.content,
                    uid=mount.uid or 0,
                    gid=mount.gid or 0,
                    mode=0o400 if mount.mode is None else mount.mode,
                )
            )

    def _text(self, name: str, secret: Secret) -> str:
        if not secret.path:
            return secret.content
        try:
            with open(secret.path, encoding="utf-8") as file:
                return file.read()
        except (OSError, ValueError) as exc:
            raise error_at(self._command.place, f'RUN: the secret "{name}": {exc}') from exc

    def _ssh(self, mount: RunMount, mounts: list[Mount], env: list[tuple[str, str]]) -> None:
        name = mount.id or "default"
        socket = self._request.ssh.get(name)
        if socket is None:
            if mount.required:
                raise error_at(
                    self._command.place,
                    f'RUN: the ssh agent "{name}" is required and was not given',
                    f"give it by --ssh {name}, or in `build.ssh`",
                )
            return
        number = sum(each.target.startswith("/run/buildkit/") for each in mounts)
        target = self._target(mount) if mount.target else f"/run/buildkit/ssh_agent.{number}"
        mounts.append(Mount(kind=MountKind.BIND, source=socket, target=target))
        env.append(("SSH_AUTH_SOCK", target))
