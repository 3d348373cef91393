"""What a build has looked at in the directories that it copies from, and whether it is still so.

Each path has a stamp. That of a file or a link is all that stat(2) says of its content: device,
inode, size, mode, mtime and ctime, which nobody can set. A directory that was listed has the same,
since names that come and go change its times; one that was only passed through has less.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STAMP = struct.Struct("<QQQIqq")
_PLACE = struct.Struct("<QQI")
_SECOND_NS = 1_000_000_000
_COARSE_NS = 2 * _SECOND_NS
"""What FAT counts times in; HFS+ and old ext3 have whole seconds."""
_FINE_NS = 100_000_000
"""Others have the times of a timer tick, 10 ms at most."""

ABSENT = b""
"""The stamp of what is not there."""


def stamp(status: os.stat_result) -> bytes:
    """Another one for everything that may have other content."""
    return _STAMP.pack(
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mode,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


STAMP_BYTES = _STAMP.size


def place(status: os.stat_result) -> bytes:
    """Which file or directory it is, whatever it contains."""
    return _PLACE.pack(status.st_dev, status.st_ino, status.st_mode)


def is_racy(status: os.stat_result, now_ns: int) -> bool:
    """Changed so lately that another change might leave the same times; the word is git's."""
    is_coarse = status.st_ctime_ns % _SECOND_NS == 0
    latest_ns = max(status.st_ctime_ns, status.st_mtime_ns)
    return latest_ns >= now_ns - (_COARSE_NS if is_coarse else _FINE_NS)


class Seen:
    """The stamps by path, and the ids of images by the names that led to them.

    *is_whole*: nothing else of what lies outside of the store has decided anything. Links that
    were followed and files that have just changed are not vouched for.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.stamps: dict[bytes, bytes] = {}
        self.images: dict[str, str] = {}
        self.is_whole = True
        self._clock_ns = clock_ns

    def looked_at(self, path: str, status: os.stat_result) -> None:
        """The content of the file, the link or the listed directory *path* counts."""
        if is_racy(status, self._clock_ns()):
            self.is_whole = False
        self._put(os.fsencode(path), stamp(status))

    def passed(self, path: str) -> bool:
        """*path* was looked for, or passed through: it may stay away, or get other content.

        False when it is not there.
        """
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            self._put(os.fsencode(path), ABSENT)
            return False
        if stat.S_ISLNK(status.st_mode):
            self.is_whole = False
        self.stamps.setdefault(os.fsencode(path), place(status))
        return True

    def read(self, path: str) -> None:
        """*path* is a file that decides something, or is not there. Called before it is read."""
        if self.passed(path):
            self.looked_at(path, os.lstat(path))

    def led_to(self, name: str, image: str) -> None:
        """The image called *name* was *image*."""
        if self.images.setdefault(name, image) != image:
            self.is_whole = False

    def adopt(self, other: Seen) -> None:
        """Take over what another process has seen."""
        self.is_whole &= other.is_whole
        for path, each in other.stamps.items():
            if len(each) == _PLACE.size:
                self.stamps.setdefault(path, each)
            else:
                self._put(path, each)
        for name, image in other.images.items():
            self.led_to(name, image)

    def _put(self, path: bytes, new: bytes) -> None:
        old = self.stamps.get(path)
        if old is not None and old != new and len(old) != _PLACE.size:
            self.is_whole = False  # it has changed while we were building
        self.stamps[path] = new


def still_so(stamps: Mapping[bytes, bytes]) -> bool:
    """Is everything as it was? One lstat(2) for each path."""
    for path, seen in stamps.items():
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            if seen != ABSENT:
                return False
            continue
        if (place(status) if len(seen) == _PLACE.size else stamp(status)) != seen:
            return False
    return True
