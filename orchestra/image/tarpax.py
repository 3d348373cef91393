"""The extended headers of pax archives: records, numbers, attributes, sparse maps. pax(1)."""

from __future__ import annotations

import base64
import binascii
import contextlib
from typing import TYPE_CHECKING

from orchestra.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.image.bytestream import ByteStream

MAX_EXTENTS = 100_000
_XATTR = b"SCHILY.xattr."
_LIBARCHIVE_XATTR = b"LIBARCHIVE.xattr."
_SPARSE = b"GNU.sparse."
_MAX_DIGITS = 20


def records(data: bytes) -> dict[bytes, bytes]:
    r"""The records "LENGTH KEY=VALUE\n" of *data*; a value may hold any byte.

    The offsets and lengths of sparse format 0.0, which repeat, are put together to 0.1's map.
    """
    found: dict[bytes, bytes] = {}
    extents: list[bytes] = []
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 1 + _MAX_DIGITS)
        length = integer(data[at:space]) if space > 0 else 0
        record, end = data[space + 1 : at + length - 1], at + length
        key, equals, value = record.partition(b"=")
        if not equals or end > len(data) or data[end - 1 : end] != b"\n":
            raise RegistryError("the archive holds a malformed extended header")
        if key in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            extents.append(value)
        else:
            found[key] = value
        at = end
    if extents:
        found[b"GNU.sparse.map"] = b",".join(extents)
    return found


def integer(text: bytes) -> int:
    """A decimal number. Raises RegistryError."""
    if len(text) <= _MAX_DIGITS and (text.isdigit() or (text[:1] == b"-" and text[1:].isdigit())):
        return int(text)
    raise RegistryError(f"the archive holds a malformed number: {text[:50]!r}")


def nanoseconds(text: bytes) -> int:
    """Seconds with a fraction, exactly: a float has not the digits."""
    whole, _, fraction = text.partition(b".")
    digits = (fraction + b"000000000")[:9]
    seconds = integer(whole or b"0")
    return seconds * 1_000_000_000 + (-integer(digits) if text[:1] == b"-" else integer(digits))


def xattrs(pax: Mapping[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """Extended attributes as star and libarchive write them; star's win."""
    found: dict[bytes, bytes] = {}
    for key, value in pax.items():
        if key.startswith(_LIBARCHIVE_XATTR):
            name = _unquoted(key[len(_LIBARCHIVE_XATTR) :])
            with contextlib.suppress(binascii.Error):
                found.setdefault(name, base64.b64decode(value + b"=" * (-len(value) % 4)))
        elif key.startswith(_XATTR):
            found[key[len(_XATTR) :]] = value
    return tuple(found.items())


def _unquoted(name: bytes) -> bytes:
    """Undo libarchive's quoting: it writes "%XX" for what may not stand in a key."""
    first, *rest = name.split(b"%")
    parts = [first]
    for part in rest:
        try:
            parts.append(bytes.fromhex(part[:2].decode("ascii")) + part[2:])
        except ValueError:
            parts.append(b"%" + part)
    return b"".join(parts)


def is_sparse(pax: Mapping[bytes, bytes]) -> bool:
    return b"GNU.sparse.map" in pax or b"GNU.sparse.major" in pax or b"GNU.sparse.size" in pax


def sparse_map(
    stream: ByteStream, pax: Mapping[bytes, bytes]
) -> tuple[list[tuple[int, int]], int, int]:
    """The extents, the file's size, and how many bytes of the content the map itself took."""
    real = integer(pax.get(b"GNU.sparse.realsize") or pax.get(b"GNU.sparse.size") or b"0")
    if pax.get(b"GNU.sparse.major", b"0") == b"0":
        text = pax.get(b"GNU.sparse.map", b"")
        numbers = [integer(word) for word in text.split(b",")] if text else []
        taken = 0
    else:
        numbers, taken = _map_in_content(stream)
    if len(numbers) % 2 or len(numbers) > 2 * MAX_EXTENTS:
        raise RegistryError("the archive holds a malformed sparse file")
    return list(zip(numbers[::2], numbers[1::2], strict=True)), real, taken


def _map_in_content(stream: ByteStream) -> tuple[list[int], int]:
    """Format 1.0: a count and the numbers, each on a line, padded to whole blocks."""
    data = stream.read(512)
    taken = 512
    lines: list[bytes] = []
    wanted = 1
    while True:
        *whole, rest = data.split(b"\n")
        for line in whole:
            lines.append(line)
            if len(lines) == 1:
                wanted = 1 + 2 * integer(line)
                if not 0 < wanted <= 1 + 2 * MAX_EXTENTS:
                    raise RegistryError("the archive holds a sparse file with too many holes")
            if len(lines) == wanted:
                return [integer(line) for line in lines[1:]], taken
        if len(rest) > _MAX_DIGITS:
            raise RegistryError("the archive holds a malformed sparse file")
        data = rest + stream.read(512)
        taken += 512
