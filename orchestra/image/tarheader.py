"""Entry to bytes: the headers of tar archives in the pax format. pax(1), "EXTENDED DESCRIPTION".

The bytes are those of Python's `tarfile`, which takes ten times as long: for a layer of many small
files that was half of the work. Reading is in `tarformat`.
"""

from __future__ import annotations

import functools
import os
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TOP = "."
"""What the directory is called that an archive is of."""

REGULAR, HARD_LINK, SYMLINK, CHAR, BLOCK, DIRECTORY, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"

BLOCK_BYTES = 512
END = bytes(2 * BLOCK_BYTES)

_PAX, _PAX_NAME = b"x", "././@PaxHeader"  # as star calls it
_MAGIC = b"ustar\x0000"
_NAME_BYTES, _USER_BYTES, _TAIL_BYTES = 100, 64, 356
_ID_LIMIT, _NUMBER_LIMIT = 8**7, 8**11
_SECOND_NS = 1_000_000_000
_Numbers = tuple[int, int, int, int, int]
"""A mode, two ids, a size in bytes, a time in seconds."""
_NOTHING: Mapping[str, str] = {}


def encoded(
    path: str,
    kind: bytes,
    status: os.stat_result,
    *,
    size: int = 0,
    link: str = "",
    pax: Mapping[str, str] = _NOTHING,
) -> bytes:
    """The header of an entry with *size* bytes of content; *pax* are further records.

    What the fields have no room for is told in records. The time of TOP is not told: who unpacks
    there changes it.
    """
    name = path + "/" if kind == DIRECTORY else path
    mtime_ns = 0 if path == TOP else status.st_mtime_ns
    seconds, rest = divmod(mtime_ns, _SECOND_NS)
    records = {"mtime": _decimal(seconds, rest)} if rest else {}
    if pax:
        records.update(pax)
    if len(name) > _NAME_BYTES or not name.isascii():
        records["path"] = name
    if link and (len(link) > _NAME_BYTES or not link.isascii()):
        records["linkpath"] = link
    uid, gid = status.st_uid, status.st_gid
    if uid >= _ID_LIMIT:
        records["uid"], uid = str(uid), 0
    if gid >= _ID_LIMIT:
        records["gid"], gid = str(gid), 0
    if size >= _NUMBER_LIMIT:
        records["size"], size = str(size), 0
    if not 0 <= seconds < _NUMBER_LIMIT:
        records.setdefault("mtime", str(seconds))
        seconds = 0
    numbers = (status.st_mode & 0o7777, uid, gid, size, seconds)
    device = b""
    if kind in (CHAR, BLOCK):
        device = b"%07o\0%07o\0" % (os.major(status.st_rdev), os.minor(status.st_rdev))
    block = _block(name, numbers, kind, link, device)
    return _extension(records) + block if records else block


def empty_file(path: str) -> bytes:
    """The header of a file of root's from 1970 that says all by its name: a whiteout."""
    block = _block(path, (0o644, 0, 0, 0, 0), REGULAR)
    return (
        block if path.isascii() and len(path) <= _NAME_BYTES else _extension({"path": path}) + block
    )


def _block(name: str, numbers: _Numbers, kind: bytes, link: str = "", device: bytes = b"") -> bytes:
    """One header block."""
    field = name.encode("ascii", "replace")[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0")
    head = field + b"%07o\0%07o\0%07o\0%011o\0%011o\0" % numbers
    tail, tail_sum = _tail(kind, link, device)
    return b"%s%06o\0 %s" % (head, _sum(head) + tail_sum, tail)


def _sum(data: bytes) -> int:
    """Of fewer than 256 bytes: zlib finds it on its way, much faster than sum(). RFC 1950, 9."""
    return (zlib.adler32(data) & 0xFFFF) - 1


@functools.lru_cache(64)
def _tail(kind: bytes, link: str, device: bytes) -> tuple[bytes, int]:
    """A block from the kind on, the same for all files; and what it adds to the checksum.

    The checksum is the sum of a block's bytes, its own field taken as eight spaces.
    """
    target = link.encode("ascii", "replace")[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0")
    tail = (kind + target + _MAGIC + bytes(_USER_BYTES) + device).ljust(_TAIL_BYTES, b"\0")
    return tail, sum(tail) + 8 * ord(" ")


def _extension(records: dict[str, str]) -> bytes:
    """The blocks that say of the entry behind them what its own block cannot."""
    data = b"".join([_record(key, value) for key, value in records.items()])
    if not (data.isascii() or all(map(_is_unicode, records.values()))):
        data = _record("hdrcharset", "BINARY") + data
    return _extension_block(len(data)) + data + bytes(-len(data) % BLOCK_BYTES)


@functools.lru_cache(64)
def _extension_block(size: int) -> bytes:
    return _block(_PAX_NAME, (0, 0, 0, size, 0), _PAX)


def _record(key: str, value: str) -> bytes:
    r"""The record "LENGTH KEY=VALUE\n"; the length counts its own digits."""
    rest = f" {key}={value}\n".encode("utf-8", "surrogateescape")
    length = len(rest) + len(str(len(rest)))
    return b"%d%s" % (len(rest) + len(str(length)), rest)


def _is_unicode(text: str) -> bool:
    """Or does it stand for bytes that are none?"""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decimal(seconds: int, nanoseconds: int) -> str:
    """The sum of both, exactly: a float has not the digits."""
    if seconds < 0:  # they go on towards 0, where a decimal's fraction goes away from it
        return f"-{-seconds - 1}.{_SECOND_NS - nanoseconds:09d}"
    return f"{seconds}.{nanoseconds:09d}"
