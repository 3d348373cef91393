"""The headers of tar archives, as POSIX (pax), GNU and v7 write them: bytes to Entry. tar(5).

Only what a layer needs, and in that several times as fast as `tarfile` (docs/design/030-images.md).
Names stay bytes, since those of a layer need not be text. What entries do to a file system is in
`unpack`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import RegistryError
from orchestra.image import tarpax
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.image.bytestream import ByteStream

REGULAR, HARD_LINK, SYMLINK, CHAR, BLOCK, DIRECTORY, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"

BLOCK_BYTES = 512
_ZERO_BLOCK = bytes(BLOCK_BYTES)
_MAX_EXTENSION_BYTES = 1 << 20
_MAX_NUMBER = 1 << 62
_REGULAR_TYPES = frozenset({b"0", b"\0", b"7", b"S"})
_EMPTY_TYPES = frozenset({HARD_LINK, SYMLINK, CHAR, BLOCK, DIRECTORY, FIFO})
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL, _VOLUME = b"L", b"K", b"x", b"g", b"V"
_GNU_SPARSE = b"S"


class Extent(NamedTuple):
    """Bytes of a sparse file that are there; what lies between them is a hole."""

    offset: int
    size: int


class Entry(NamedTuple):
    """One member. Its *stored_bytes* follow in the stream, and padding that `entries` skips."""

    name: bytes
    kind: bytes
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    stored_bytes: int = 0
    link: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: tuple[tuple[bytes, bytes], ...] = ()
    sparse: tuple[Extent, ...] | None = None
    file_bytes: int = 0


class _Pending(NamedTuple):
    """What extension headers say of the entry that follows them."""

    name: bytes = b""
    link: bytes = b""
    pax: Mapping[bytes, bytes] = {}


def entries(stream: ByteStream) -> Iterator[Entry]:
    """The members of the archive in *stream*; the consumer reads each one's stored bytes at once.

    Raises RegistryError for anything that is no tar archive.
    """
    common: dict[bytes, bytes] = {}
    pending = _Pending()
    while (block := stream.read_or_end(BLOCK_BYTES)) and block != _ZERO_BLOCK:
        kind = block[156:157]
        _check(block)
        if kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL, _VOLUME):
            data = _extension(stream, block)
            if kind == _LONG_NAME:
                pending = pending._replace(name=data.rstrip(b"\0"))
            elif kind == _LONG_LINK:
                pending = pending._replace(link=data.rstrip(b"\0"))
            elif kind == _PAX:
                pending = pending._replace(pax=tarpax.records(data))
            elif kind == _PAX_GLOBAL:
                common.update(tarpax.records(data))
            continue
        if common:
            pending = pending._replace(pax={**common, **pending.pax})
        entry, padding = _entry(stream, block, pending)
        pending = _Pending()
        yield entry
        if padding:
            stream.skip(padding)


def _entry(stream: ByteStream, block: bytes, pending: _Pending) -> tuple[Entry, int]:
    """The entry of the header *block*, and how many bytes of padding follow its content."""
    pax = pending.pax
    kind = block[156:157]
    size = _size(block, pax)
    padding = -size % BLOCK_BYTES
    name = pax.get(b"path") or pending.name or _name(block)
    if kind in _EMPTY_TYPES:
        # a size here is that of the file linked to, or nonsense; nothing follows but for links
        # of pax archives that carry content again, which nobody writes in layers
        size = padding = 0
    elif kind not in _REGULAR_TYPES:
        raise RegistryError(f"the archive holds an entry of unknown type {kind!r}: {name[:200]!r}")
    elif name.endswith(b"/") and kind != _GNU_SPARSE:
        kind = DIRECTORY
    else:
        kind_is_gnu_sparse, kind = kind == _GNU_SPARSE, REGULAR
        if kind_is_gnu_sparse or tarpax.is_sparse(pax):
            return _sparse_entry(stream, block, name, size, pax, gnu=kind_is_gnu_sparse)
    return _plain_entry(block, kind, name, size, pending), padding


def _plain_entry(block: bytes, kind: bytes, name: bytes, size: int, pending: _Pending) -> Entry:
    pax = pending.pax
    link = b""
    if kind in (HARD_LINK, SYMLINK):
        link = pax.get(b"linkpath") or pending.link or _text(block[157:257])
    device = (0, 0)
    if kind in (CHAR, BLOCK):
        device = (_number(block[329:337]), _number(block[337:345]))
    mtime = pax.get(b"mtime")
    return Entry(
        name,
        kind,
        _number(block[100:108]) & 0o7777,
        tarpax.integer(pax[b"uid"]) if b"uid" in pax else _number(block[108:116]),
        tarpax.integer(pax[b"gid"]) if b"gid" in pax else _number(block[116:124]),
        tarpax.nanoseconds(mtime) if mtime else _number(block[136:148]) * 1_000_000_000,
        size,
        link,
        device,
        tarpax.xattrs(pax) if pax else (),
        None,
        size,
    )


def _sparse_entry(
    stream: ByteStream,
    block: bytes,
    name: bytes,
    size: int,
    pax: Mapping[bytes, bytes],
    *,
    gnu: bool,
) -> tuple[Entry, int]:
    """A sparse file in one of its four encodings. GNU tar manual, "Storing Sparse Files"."""
    padding = -size % BLOCK_BYTES
    if gnu:
        extents, real = _gnu_extents(stream, block)
    else:
        name = pax.get(b"GNU.sparse.name") or name
        extents, real, map_bytes = tarpax.sparse_map(stream, pax)
        size -= map_bytes
    end = 0
    for offset, length in extents:
        if offset < end or length < 0:
            raise RegistryError(f"the archive holds a malformed sparse file: {name[:200]!r}")
        end = offset + length
    if end > real or sum(length for _, length in extents) != size:
        raise RegistryError(f"the archive holds a malformed sparse file: {name[:200]!r}")
    plain = _plain_entry(block, REGULAR, name, size, _Pending(pax=pax))
    sparse = tuple(Extent(*extent) for extent in extents)
    return plain._replace(sparse=sparse, file_bytes=real), padding


def _gnu_extents(stream: ByteStream, block: bytes) -> tuple[list[tuple[int, int]], int]:
    """The old GNU encoding: four extents in the header, 21 in each extension block."""
    found: list[tuple[int, int]] = []
    table, more = block[386:482], block[482:483] not in (b"\0", b"0")
    while True:
        for at in range(0, len(table), 24):
            offset, length = table[at : at + 12], table[at + 12 : at + 24]
            if offset[0] == 0 and length[0] == 0:
                break
            found.append((_number(offset), _number(length)))
        if not more:
            return found, _number(block[483:495])
        if len(found) > tarpax.MAX_EXTENTS:
            raise RegistryError("the archive holds a sparse file with too many holes")
        extension = stream.read(BLOCK_BYTES)
        table, more = extension[:504], extension[504:505] not in (b"\0", b"0")


def _extension(stream: ByteStream, block: bytes) -> bytes:
    size = _number(block[124:136])
    if not 0 <= size <= _MAX_EXTENSION_BYTES:
        raise RegistryError(f"the archive holds an extended header of {size} bytes")
    data = stream.read(size)
    stream.skip(-size % BLOCK_BYTES)
    return data


def _size(block: bytes, pax: Mapping[bytes, bytes]) -> int:
    size = tarpax.integer(pax[b"size"]) if b"size" in pax else _number(block[124:136])
    if not 0 <= size < _MAX_NUMBER:
        raise RegistryError(f"the archive holds an entry of {size} bytes")
    return size


def _name(block: bytes) -> bytes:
    name = _text(block[:100])
    # GNU's magic is "ustar  ", and it keeps times where POSIX has the prefix
    if block[257:263] == b"ustar\0" and block[345]:
        return _text(block[345:500]) + b"/" + name
    return name


def _text(field: bytes) -> bytes:
    end = field.find(b"\0")
    return field if end < 0 else field[:end]


def _number(field: bytes) -> int:
    """An octal number, or one in base 256 as GNU writes what octal has no room for."""
    first = field[0]
    if first & 0x80:
        value = int.from_bytes(field, "big", signed=False) - (0x80 << (8 * (len(field) - 1)))
        if first & 0x40:
            value -= 1 << (8 * len(field) - 1)
        return value
    digits = _text(field).strip()
    try:
        return int(digits, 8) if digits else 0
    except ValueError as exc:
        raise RegistryError(f"the archive holds a malformed number: {field!r}") from exc


def _check(block: bytes) -> None:
    """Compare the checksum: the sum of all bytes, its own field taken as spaces."""
    field = _text(block[148:156]).strip()
    stated = int(field, 8) if field.isdigit() and not field.translate(None, b"01234567") else -1
    if stated == sum(block) - sum(block[148:156]) + 256:
        return
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + block[156:]) + 256
    if stated != signed:
        raise RegistryError(
            "this is no tar archive, or a damaged one: a header's checksum is wrong",
            fix="get it once more",
        )
