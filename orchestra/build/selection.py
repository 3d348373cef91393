"""Which files a COPY or ADD is about, and a digest of what matters of them.

Names are resolved as if the source's root were "/": no link leads out of it. The digest has names,
contents, kinds, modes, owners and link targets, and no times, as BuildKit's has.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import stat
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.ignore import NOTHING_IGNORED, pattern_regex
from orchestra.linux.safe_open import safe_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.build.digests import Digests
    from orchestra.build.ignore import IgnoreRules, Pattern
    from orchestra.build.seen import Seen

_CHUNK = 1 << 18
_WILDCARD = re.compile(r"[*?\[]")


class CopyError(ValueError):
    """Something cannot be copied; the text is a sentence."""


class Missing(Exception):
    """A source that is not there; *pattern* of the ignore file hides it, if one does.

    Or a link that is there, but not what it leads to: *target*.
    """

    def __init__(self, source: str, pattern: Pattern | None = None, target: str = "") -> None:
        super().__init__(source)
        self.source = source
        self.pattern = pattern
        self.target = target


class Outside(Exception):
    """A source that begins above the root."""


class Notes(NamedTuple):
    """Writes into *seen* what was looked at below the directory *top*."""

    seen: Seen
    top: str

    def way(self, path: str) -> None:
        """*path* was looked for by its name."""
        parts = path.split("/") if path else []
        for count in range(1, len(parts) + 1):
            if not self.seen.passed(posixpath.join(self.top, *parts[:count])):
                return

    def content(self, path: str, status: os.stat_result) -> None:
        self.seen.looked_at(posixpath.join(self.top, path) if path else self.top, status)


class Source(NamedTuple):
    """Where files come from: *root* is an open directory; *owner* replaces what files have.

    What is looked at is told to *notes*, where somebody wants to know.
    """

    root: int
    ignore: IgnoreRules = NOTHING_IGNORED
    owner: tuple[int, int] | None = None
    notes: Notes | None = None


class Item(NamedTuple):
    """A file, link or directory: *path* below the source's root, *target* below the match."""

    path: str
    target: str
    status: os.stat_result


class Match(NamedTuple):
    """What one name has led to; *name* is its last part, and for `--parents` its whole path.

    *above* are the directories of that path, outermost first, whose targets are paths of it.
    """

    name: str
    items: tuple[Item, ...]
    is_directory: bool
    above: tuple[Item, ...] = ()


class Wanted(NamedTuple):
    sources: tuple[str, ...]
    exclude: IgnoreRules = NOTHING_IGNORED
    parents: bool = False


def select(source: Source, wanted: Wanted) -> tuple[Match, ...]:
    """The files of *wanted*, in order. Raises Missing, Outside, OSError."""
    found: list[Match] = []
    for written in wanted.sources:
        pivot, name = _split_pivot(written) if wanted.parents else ("", written)
        clean = _clean(name)
        base = _clean(pivot) if pivot else ""
        paths = list(_glob(source, posixpath.join(base, clean).strip("/"), wanted))
        if not paths and not _WILDCARD.search(written):
            raise Missing(written, source.ignore.decider(clean), _link_target(source, clean))
        for path in paths:
            shown = posixpath.relpath(path, base) if base else path
            match = _match(source, path, shown if wanted.parents else "", wanted)
            if match.is_directory or not wanted.exclude.hides(match.name):
                found.append(match)
    return tuple(found)


def _split_pivot(written: str) -> tuple[str, str]:
    before, pivot, after = written.partition("/./")
    return (before, after) if pivot else ("", written)


def _clean(written: str) -> str:
    if posixpath.normpath(written.lstrip("/") or ".").split("/")[0] == "..":
        raise Outside(written)
    return posixpath.normpath("/" + written).strip("/")


def _glob(source: Source, path: str, wanted: Wanted) -> Iterator[str]:
    """The names that are there and not hidden, sorted.

    `**` is any number of directories with `--parents`, and else as `*`: Go's filepath.Match.
    """
    if not _WILDCARD.search(path):
        if _is_visible(source, path):
            yield path
        return
    parts = [part if wanted.parents else re.sub(r"\*+", "*", part) for part in path.split("/")]
    yield from _expand(source, "", parts)


def _expand(source: Source, above: str, parts: list[str]) -> Iterator[str]:
    head, rest = parts[0], parts[1:]
    if not _WILDCARD.search(head):
        names = [head]
    else:
        names = sorted(_names(source, above))
        if head == "**":
            if rest:
                yield from _expand(source, above, rest)
            for name in names:
                path = f"{above}/{name}" if above else name
                if not rest:
                    yield path
                elif _is_directory(source, path):
                    yield from _expand(source, path, parts)
            return
        regex = re.compile(pattern_regex(head))
        names = [name for name in names if regex.fullmatch(name)]
    for name in names:
        path = f"{above}/{name}" if above else name
        if rest and _is_directory(source, path):
            yield from _expand(source, path, rest)
        elif not rest and _is_visible(source, path):
            yield path
        elif not rest and not source.ignore.hides(path) and (target := _link_target(source, path)):
            raise Missing(path, None, target)  # as BuildKit: nothing is left out silently


def _names(source: Source, path: str) -> list[str]:
    if source.notes is not None:
        source.notes.way(path)
    try:
        with safe_open(source.root, path or ".") as place:
            if source.notes is not None:
                source.notes.content(path, os.fstat(place.fileno()))
            return os.listdir(place.path)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_directory(source: Source, path: str) -> bool:
    if source.notes is not None:
        source.notes.way(path)
    try:
        with safe_open(source.root, path) as place:
            return stat.S_ISDIR(os.fstat(place.fileno()).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_visible(source: Source, path: str) -> bool:
    """Is *path* there and not hidden, and, where it is a link, what it leads to?"""
    if source.notes is not None:
        source.notes.way(path)
    try:
        with safe_open(source.root, path or ".") as place:
            is_directory = stat.S_ISDIR(os.fstat(place.fileno()).st_mode)
            real = _below(source.root, place.path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return all(
        not name
        or not source.ignore.hides(name)
        or (is_directory and source.ignore.may_show_below(name))
        for name in {path, real}
    )


def _link_target(source: Source, path: str) -> str:
    """What the link *path* says; "" when it is none."""
    above, name = posixpath.split(path)
    try:
        with safe_open(source.root, above or ".") as place:
            return os.readlink(f"{place.path}/{name}") if name else ""
    except OSError:
        return ""


def _match(source: Source, path: str, shown: str, wanted: Wanted) -> Match:
    real = _real_path(source.root, path)
    status = os.stat(real or ".", dir_fd=source.root, follow_symlinks=False)
    name = shown or posixpath.basename(path)
    above = tuple(_above(source, path, shown)) if wanted.parents else ()
    if not stat.S_ISDIR(status.st_mode):
        if source.notes is not None:
            source.notes.content(real, status)
        return Match(name, (Item(real, "", status),), is_directory=False, above=above)
    items = [Item(real, "", status)]
    items += _walk(source, real, "", _Exclude(wanted.exclude, shown))
    return Match(name, tuple(items), is_directory=True, above=above)


def _above(source: Source, path: str, shown: str) -> Iterator[Item]:
    """The directories of *shown*, the last parts of *path*, without the last."""
    parts = shown.split("/")[:-1]
    base = path.split("/")[: -len(parts) - 1]
    for count in range(1, len(parts) + 1):
        real = _real_path(source.root, "/".join((*base, *parts[:count])))
        status = os.stat(real, dir_fd=source.root, follow_symlinks=False)
        yield Item(real, "/".join(parts[:count]), status)


def _real_path(root: int, path: str) -> str:
    """*path* with all links resolved, relative to *root*."""
    with safe_open(root, path or ".") as place:
        return _below(root, place.path)


def _below(root: int, opened: str) -> str:
    """The path, relative to *root*, of what /proc names *opened*."""
    top = os.readlink(f"/proc/self/fd/{root}")
    return os.readlink(opened)[len(top.rstrip("/")) :].strip("/")


class _Exclude(NamedTuple):
    """`--exclude`, whose patterns count from the copied directory, or from *above* it."""

    rules: IgnoreRules
    above: str

    def hides(self, below: str) -> bool:
        return bool(self.rules.patterns) and self.rules.hides(posixpath.join(self.above, below))

    def may_show_below(self, below: str) -> bool:
        return self.rules.may_show_below(posixpath.join(self.above, below))


def _walk(source: Source, real: str, target: str, exclude: _Exclude) -> Iterator[Item]:
    """What lies in the directory *real*, depth first, sorted; links are not followed."""
    for name, status in _entries(source, real):
        path = f"{real}/{name}" if real else name
        below = f"{target}/{name}" if target else name
        is_directory = stat.S_ISDIR(status.st_mode)
        hidden = source.ignore.hides(path) or exclude.hides(below)
        if hidden and not (
            is_directory and (source.ignore.may_show_below(path) or exclude.may_show_below(below))
        ):
            continue
        inside = list(_walk(source, path, below, exclude)) if is_directory else []
        if not hidden or inside:
            if source.notes is not None and not is_directory:  # which have been listed
                source.notes.content(path, status)
            yield Item(path, below, status)
            yield from inside


def _entries(source: Source, directory: str) -> list[tuple[str, os.stat_result]]:
    """The names in *directory* with lstat(2) of each, sorted."""
    with safe_open(source.root, directory or ".") as place:
        fd = os.open(place.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if source.notes is not None:
            source.notes.content(directory, os.fstat(fd))
        with os.scandir(fd) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    finally:
        os.close(fd)
    return sorted(found, key=itemgetter(0))


def digest(source: Source, matches: tuple[Match, ...], digests: Digests | None = None) -> str:
    """Of everything that counts in *matches*. Raises OSError."""
    total = hashlib.sha256()
    for match in matches:
        name = "" if match.is_directory else match.name
        total.update(repr((name, len(match.items))).encode())
        for item in (*match.above, *match.items):
            total.update(_described(source, item, digests))
    return total.hexdigest()


def _described(source: Source, item: Item, digests: Digests | None) -> bytes:
    status = item.status
    owner = source.owner or (status.st_uid, status.st_gid)
    what = b""
    if stat.S_ISREG(status.st_mode):
        what = _file_digest(source, item, digests)
    elif stat.S_ISLNK(status.st_mode):
        what = os.fsencode(os.readlink(item.path, dir_fd=source.root))
    elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        what = str(status.st_rdev).encode()
    return repr((os.fsencode(item.target), status.st_mode, owner, what)).encode()


def _file_digest(source: Source, item: Item, digests: Digests | None) -> bytes:
    read = partial(_content_digest, source.root, item.path, item.status.st_size)
    return read() if digests is None else digests.of(item.path, item.status, read)


def _content_digest(root: int, path: str, size: int) -> bytes:
    """*size* is what stat(2) has said of the file, which may have changed since then.

    A small file is read by one call: the byte more that is asked for shows that there are no more.
    A buffer as large as the largest file's would cost a small one several times its reading.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root)
    try:
        data = os.read(fd, min(size + 1, _CHUNK))
        if len(data) == size < _CHUNK:
            return hashlib.sha256(data).digest()
        total = hashlib.sha256(data)
        while data := os.read(fd, _CHUNK):
            total.update(data)
        return total.digest()
    finally:
        os.close(fd)
