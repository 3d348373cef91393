"""COPY, ADD and WORKDIR: what they depend on, and their execution over a file system."""

from __future__ import annotations

import hashlib
import os
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.chamber import ChamberError, Mounted, inside
from orchestra.build.digests import Digests, digests_path
from orchestra.build.filemode import parse_mode
from orchestra.build.ignore import parse_ignore
from orchestra.build.selection import (
    CopyError,
    Missing,
    Notes,
    Outside,
    Source,
    Wanted,
    digest,
    select,
)
from orchestra.build.source import error_at

if TYPE_CHECKING:
    from orchestra.build.filemode import Mode
    from orchestra.build.ignore import IgnoreRules
    from orchestra.build.instructions.base import Command
    from orchestra.build.instructions.paths import Paths
    from orchestra.build.seen import Seen
    from orchestra.build.selection import Match
    from orchestra.errors import BuildError
    from orchestra.model.rootfs import Rootfs


class Transfer(NamedTuple):
    """A COPY or ADD with its variables replaced; *destination* is absolute."""

    command: Command
    paths: Paths
    destination: str
    chown: str
    mode: Mode | None
    exclude: IgnoreRules
    parents: bool
    unpacks: bool
    link: bool

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.paths.sources, self.exclude, self.parents)

    def key_parts(self, content: str) -> list[object]:
        return [
            content,
            [[each.name, each.text] for each in self.paths.inline],
            self.destination,
            self.chown,
            repr(self.mode),
            self.parents,
            self.unpacks,
        ]


class Directory(NamedTuple):
    """A directory of this machine as a source: the build context or a named one.

    *digests* is the directory where the digests of its files are remembered, if they are; *seen*
    hears what was looked at to find a digest.
    """

    path: str
    ignore: IgnoreRules
    digests: str = ""
    seen: Seen | None = None


class Image(NamedTuple):
    """The file system of a stage or an image as a source; *at* is where it is to be mounted.

    *key* is that of the file system; see `FileSystem.key`.
    """

    rootfs: Rootfs
    at: str
    key: str


Origin = Directory | Image


class Options(NamedTuple):
    """The flags that COPY and ADD share."""

    chown: str = ""
    chmod: str = ""
    exclude: tuple[str, ...] = ()
    parents: bool = False
    unpacks: bool = False
    link: bool = False


def plan_transfer(command: Command, paths: Paths, destination: str, options: Options) -> Transfer:
    """Raises BuildError for what cannot be meant."""
    sources = len(paths.sources) + len(paths.inline)
    if sources > 1 and not destination.endswith("/"):
        raise error_at(
            command.place,
            f"{command.keyword}: several sources, but {paths.destination} is no directory",
            f"end the destination with a slash: {paths.destination}/",
        )
    try:
        mode = parse_mode(options.chmod) if options.chmod else None
    except ValueError as exc:
        raise error_at(command.place, f"{command.keyword}: --chmod: {exc}") from exc
    return Transfer(
        command,
        paths,
        destination,
        options.chown,
        mode,
        parse_ignore("\n".join(options.exclude), "--exclude"),
        options.parents,
        options.unpacks,
        options.link,
    )


NOTHING = hashlib.sha256().hexdigest()
"""The digest of no files: patterns, and none that they match."""


def hidden_matches(transfer: Transfer, origin: Origin) -> str:
    """Of patterns that match nothing: which line of the ignore file is why, or ""."""
    if not isinstance(origin, Directory) or not origin.ignore.patterns:
        return ""
    with _Opened(origin.path) as root:
        for match in _selected(transfer, Source(root), origin):
            pattern = origin.ignore.decider(match.items[0].path)
            if pattern is not None:
                where = f"{origin.ignore.file}:{pattern.line}"
                return f'{match.name} is hidden by "{pattern.text}" in {where}'
    return ""


class Content(NamedTuple):
    """What a transfer takes; *matches* is None where the origin has yet to be mounted."""

    digest: str
    matches: tuple[Match, ...] | None = None


def find_content(transfer: Transfer, origin: Origin) -> Content:
    """The files that *transfer* takes from *origin*, and their digest. Raises BuildError."""
    if not transfer.paths.sources:
        return Content("")
    try:
        if isinstance(origin, Directory):
            with _Opened(origin.path) as root:
                notes = None if origin.seen is None else Notes(origin.seen, origin.path)
                source = Source(root, origin.ignore, (0, 0), notes)
                matches = _selected(transfer, source, origin)
                return Content(_digest_of_context(transfer, source, origin, matches), matches)

        def work() -> bytes:
            with _Opened(origin.at) as root:
                source = Source(root)
                return digest(source, _selected(transfer, source, origin)).encode()

        return Content(inside((Mounted(origin.rootfs, origin.at),), work).decode())
    except (ChamberError, CopyError, OSError) as exc:
        raise _failed(transfer.command, exc) from exc


def _digest_of_context(
    transfer: Transfer, source: Source, origin: Directory, matches: tuple[Match, ...]
) -> str:
    if not origin.digests:
        return digest(source, matches)
    path = digests_path(origin.digests, origin.path, transfer.paths.sources)
    digests = Digests(path)
    result = digest(source, matches, digests)
    digests.save()
    return result


def transfer_files(
    transfer: Transfer,
    origin: Origin,
    rootfs: Rootfs,
    at: str,
    matches: tuple[Match, ...] | None = None,
) -> None:
    """Write what *transfer* takes from *origin* into *rootfs*. Raises BuildError.

    *matches* are the files when they have been found before: nothing that came since is copied.
    """
    from orchestra.build.copying import Job, carry_out  # now: a forked process imports nothing

    if transfer.unpacks:
        import orchestra.build.unpacking  # noqa: F401
    mounts = [Mounted(rootfs, at)]
    place, rules, owner = at, None, None
    if isinstance(origin, Directory):
        place, rules, owner = origin.path, origin.ignore, (0, 0)
    else:
        mounts.append(Mounted(origin.rootfs, origin.at))
        place = origin.at

    def work() -> bytes:
        with _Opened(place) as root:
            source = Source(root, owner=owner) if rules is None else Source(root, rules, owner)
            job = Job(
                source=source,
                matches=_selected(transfer, source, origin) if matches is None else matches,
                inline=transfer.paths.inline,
                destination=transfer.destination,
                chown=transfer.chown,
                mode=transfer.mode,
                parents=transfer.parents,
                unpacks=transfer.unpacks,
            )
            os.chroot(at)
            os.chdir("/")
            carry_out(job)
        return b""

    try:
        inside(tuple(mounts), work)
    except (ChamberError, OSError) as exc:
        raise _failed(transfer.command, exc) from exc


def make_working_directory(command: Command, path: str, user: str, rootfs: Rootfs, at: str) -> None:
    """WORKDIR: *path* and what is missing above it, owned by *user*. Raises BuildError."""
    from orchestra.build.copying import make_directory

    def work() -> bytes:
        os.chroot(at)
        os.chdir("/")
        make_directory(path, user)
        return b""

    try:
        inside((Mounted(rootfs, at),), work)
    except (ChamberError, OSError) as exc:
        raise _failed(command, exc) from exc


class _Opened:
    """A directory's descriptor as a context."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> int:
        self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self._fd

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _selected(transfer: Transfer, source: Source, origin: Origin) -> tuple[Match, ...]:
    """Raises CopyError with a sentence that names the source."""
    try:
        matches = select(source, transfer.wanted)
    except Outside as exc:
        raise CopyError(f"{exc} lies outside of the build context") from exc
    except Missing as exc:
        if exc.pattern is not None:
            raise CopyError(
                f'{exc.source} is hidden by "{exc.pattern.text}" in '
                f"{source.ignore.file}:{exc.pattern.line}"
            ) from exc
        if exc.target:
            what = f"{exc.source} is a link to {exc.target}, which is not among the files to copy"
            raise CopyError(what) from exc
        where = "the build context" if isinstance(origin, Directory) else "there"
        raise CopyError(f"{exc.source} does not exist in {where}" + _nearby(source, exc)) from exc
    return matches


def _nearby(source: Source, missing: Missing) -> str:
    """A hint at a name that looks alike."""
    from difflib import get_close_matches  # only errors pay for it

    above, name = posixpath.split(posixpath.normpath(missing.source).strip("/"))
    try:
        names = os.listdir(f"/proc/self/fd/{source.root}/{above}")
    except OSError:
        return ""
    close = get_close_matches(name, names, n=1)
    return f'; did you mean "{posixpath.join(above, close[0])}"?' if close else ""


def _failed(command: Command, exc: Exception) -> BuildError:
    if isinstance(exc, OSError):
        text = f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc.strerror or exc)
    else:
        text = str(exc)
    return error_at(command.place, f"{command.keyword}: {text}")
