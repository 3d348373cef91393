"""Reading exact amounts from chunks that come as they like, without joining them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator


class ByteStream:
    """The bytes of *chunks* in order. A read beyond the end raises RegistryError."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self._at = 0

    def read(self, count: int) -> bytes:
        """Exactly *count* bytes."""
        end = self._at + count
        if end <= len(self._chunk):
            data = self._chunk[self._at : end]
            self._at = end
            return data
        return b"".join(self.pieces(count))

    def read_or_end(self, count: int) -> bytes:
        """The same, or nothing when the stream ends just here."""
        if self._at == len(self._chunk) and not self._next():
            return b""
        return self.read(count)

    def peek(self, count: int) -> bytes:
        """The next bytes without taking them: *count*, or fewer at the end of the stream."""
        while len(self._chunk) - self._at < count:
            rest = self._chunk[self._at :]
            if not self._next():
                self._chunk = rest
                break
            self._chunk = rest + self._chunk
        return self._chunk[self._at : self._at + count]

    def pieces(self, count: int) -> Iterator[memoryview]:
        """Exactly *count* bytes, in pieces that are valid until the next one."""
        while count > 0:
            if self._at == len(self._chunk) and not self._next():
                raise RegistryError(
                    "the archive ends in the middle of an entry",
                    fix="it is damaged or incomplete; get it once more",
                )
            piece = memoryview(self._chunk)[self._at : self._at + count]
            self._at += len(piece)
            count -= len(piece)
            yield piece

    def skip(self, count: int) -> None:
        for _ in self.pieces(count):
            pass

    def drain(self) -> None:
        """Read to the end."""
        while self._next():
            pass

    def _next(self) -> bool:
        """Go to the next chunk that is not empty; False at the end."""
        for chunk in self._chunks:
            if chunk:
                self._chunk, self._at = chunk, 0
                return True
        self._chunk, self._at = b"", 0
        return False
