"""Reading a container's log, as `logs` does: by line with times, or raw at the speed of cat.

`Log` opens the generations of one log directory; nothing is read before it is asked for, and the
last lines are found from the end. A line has the time of the chunk in which it begins. The format
is described, and written, in `logs.py`; who waits for more uses `logfollow.py`.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.runtime.logs import (
    CHUNK_BYTES,
    CONTINUES,
    RECORD,
    STREAM,
    generations,
    index_path,
    raw_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCAN_BYTES = 65536
_MOST_STEPS_BACK = 4096


class LogLine(NamedTuple):
    """*text* ends with a newline unless the line is unfinished. stream: 1 stdout, 2 stderr."""

    time_ns: int
    stream: int
    text: bytes


class Span(NamedTuple):
    """Which lines: the last *tail* ones (None: all) of those in [since_ns, until_ns]."""

    tail: int | None = None
    since_ns: int = 0
    until_ns: int = 0  # 0: no end


class Chunk(NamedTuple):
    """Bytes *start* … *end* of one generation's raw file."""

    time_ns: int
    stream: int
    start: int
    end: int


class Generation:
    """One pair of files, open for reading; more may be appended while it is open."""

    def __init__(self, directory: str, number: int) -> None:
        """Raises FileNotFoundError when it was rotated away just now."""
        self.number = number
        flags = os.O_RDONLY | os.O_CLOEXEC
        self._index = os.open(index_path(directory, number), flags)
        try:
            self.raw = os.open(raw_path(directory, number), flags)
        except OSError:
            os.close(self._index)
            raise

    def count(self) -> int:
        """The number of complete records."""
        return os.fstat(self._index).st_size // RECORD.size

    def record(self, position: int) -> tuple[int, int, int]:
        """(time_ns, end, stream) of record *position*."""
        time_ns, packed = RECORD.unpack(os.pread(self._index, RECORD.size, position * RECORD.size))
        return time_ns, packed >> 8, packed & STREAM

    def continued_stream(self) -> int:
        """The stream that begins in the middle of a line; 0 for none."""
        if not self.count():
            return 0
        _, packed = RECORD.unpack(os.pread(self._index, RECORD.size, 0))
        return packed & STREAM if packed & CONTINUES else 0

    def chunks(self, first: int = 0) -> Iterator[Chunk]:
        """The chunks from record *first* on, empty ones left out; a thousand records a read."""
        start = self.record(first - 1)[1] if first else 0
        offset = first * RECORD.size
        while content := os.pread(self._index, 1024 * RECORD.size, offset):
            usable = len(content) // RECORD.size * RECORD.size
            for time_ns, packed in RECORD.iter_unpack(content[:usable]):
                end = packed >> 8
                if end > start:
                    yield Chunk(time_ns, packed & STREAM, start, end)
                start = end
            if usable == 0:
                return
            offset += usable

    def first_at(self, value: int, field: int) -> int:
        """The first record whose time (field 0) or end (field 1) is at least *value*."""
        low, high = 0, self.count()
        while low < high:
            middle = (low + high) // 2
            if self.record(middle)[field] < value:
                low = middle + 1
            else:
                high = middle
        return low

    def start_of_last(self, lines: int) -> tuple[int, int]:
        """(offset of the last *lines* newline-ended lines, newlines found); scans backwards."""
        position = self.record(self.count() - 1)[1] if self.count() else 0
        found = 0
        while position > 0:
            start = max(0, position - _SCAN_BYTES)
            block = os.pread(self.raw, position - start, start)
            newlines = block.count(b"\n")
            if found + newlines >= lines:
                cut = len(block)
                for _ in range(lines - found):
                    cut = block.rindex(b"\n", 0, cut)
                return start + cut, lines
            found += newlines
            position = start
        return 0, found

    def close(self) -> None:
        os.close(self._index)
        os.close(self.raw)


class LineAssembler:
    """Chunks of both streams in, whole lines out; holds the unfinished line of each stream."""

    def __init__(self) -> None:
        self._rest: dict[int, LogLine] = {}

    def feed(self, time_ns: int, stream: int, content: bytes) -> Iterator[LogLine]:
        lines = content.splitlines(keepends=True) if b"\r" not in content else _split(content)
        rest = self._rest.pop(stream, None)
        if rest is not None and lines:
            lines[0] = rest.text + lines[0]
            if lines[0].endswith(b"\n"):
                yield LogLine(rest.time_ns, stream, lines[0])
                del lines[0]
            else:
                self._rest[stream] = LogLine(rest.time_ns, stream, lines[0])
                return
        if lines and not lines[-1].endswith(b"\n"):
            self._rest[stream] = LogLine(time_ns, stream, lines.pop())
        for line in lines:
            yield LogLine(time_ns, stream, line)

    def unfinished(self) -> Iterator[LogLine]:
        """What has no newline yet; asked for at the end."""
        yield from sorted(self._rest.values())
        self._rest.clear()


def _split(content: bytes) -> list[bytes]:
    """At newlines only: splitlines() would also split at a carriage return."""
    lines = content.split(b"\n")
    last = lines.pop()
    ended = [line + b"\n" for line in lines]
    return [*ended, last] if last else ended


class Log:
    """The log of one container, for one reader. A directory that is not there is an empty log."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._generation: Generation | None = None  # where the reader stands
        self._position = 0  # the next record in it
        self._lines = LineAssembler()

    # -- raw --------------------------------------------------------------------------------------
    def copy(self, target: int) -> int:
        """Write everything to the fd *target* by sendfile(2), both streams as they came: bytes."""
        total = 0
        for number in generations(self._directory):
            with self._opened(number) as generation:
                if generation is None or not generation.count():
                    continue
                offset, end = 0, generation.record(generation.count() - 1)[1]
                while offset < end:
                    offset += _send(target, generation.raw, offset, end - offset)
                total += end
        return total

    # -- lines ------------------------------------------------------------------------------------
    def read(self, span: Span = Span()) -> Iterator[LogLine]:  # noqa: B008 (immutable)
        """The lines of *span* that exist now, the unfinished last one included."""
        lines = self._lines_of(span)
        if span.tail is not None:
            lines = iter(_last(lines, span.tail))
        yield from lines

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Everything, as it was read: (stream, bytes); a line may be cut between two of them."""
        for _time_ns, stream, content in self._blocks(Span()):
            yield stream, content

    def _lines_of(self, span: Span) -> Iterator[LogLine]:
        for time_ns, stream, content in self._blocks(span):
            yield from self._lines.feed(time_ns, stream, content)
        yield from self._lines.unfinished()

    def _blocks(self, span: Span) -> Iterator[tuple[int, int, bytes]]:
        """(time, stream, bytes), beginning where *span* may begin."""
        self._seek(span)
        self._stand_somewhere()
        skip = self._cut_streams()
        for chunk, raw in self._forward():
            if span.until_ns and chunk.time_ns > span.until_ns:
                return
            for start in range(chunk.start, chunk.end, CHUNK_BYTES):
                content = os.pread(raw, min(CHUNK_BYTES, chunk.end - start), start)
                if chunk.stream in skip:
                    cut = content.find(b"\n") + 1
                    if cut == 0:
                        continue
                    skip.discard(chunk.stream)
                    content = content[cut:]
                if content and chunk.time_ns >= span.since_ns:
                    yield chunk.time_ns, chunk.stream, content

    def _forward(self) -> Iterator[tuple[Chunk, int]]:
        """The chunks from where the reader stands, through all generations."""
        self._stand_somewhere()
        while self._generation is not None:
            generation = self._generation
            count = generation.count()
            if self._position < count:
                chunks = generation.chunks(self._position)
                self._position = count
                end = generation.record(count - 1)[1]
                for chunk in chunks:
                    if chunk.start >= end:
                        break
                    yield chunk, generation.raw
                continue
            newer = [n for n in generations(self._directory) if n > generation.number]
            if not newer or generation.count() > self._position:
                return
            self._stand_at(newer[0], 0)

    def _stand_somewhere(self) -> None:
        """At the beginning, when it has not been told where."""
        if self._generation is None:
            numbers = generations(self._directory)
            if numbers:
                self._stand_at(numbers[0], 0)

    def _seek(self, span: Span) -> None:
        """Stand at the chunk where the last *tail* lines, or *since_ns*, may begin."""
        numbers = generations(self._directory)
        if span.tail is not None and not span.until_ns:
            wanted = span.tail + 2  # an unfinished line of each stream
            for number in reversed(numbers):
                with self._opened(number) as generation:
                    if generation is None:
                        continue
                    offset, found = generation.start_of_last(wanted)
                    wanted -= found
                    if wanted <= 0 or number == numbers[0]:
                        self._stand_at(number, generation.first_at(offset + 1, 1))
                        self._step_back_to_whole_lines()
                        return
        elif span.since_ns:
            for number in reversed(numbers):
                with self._opened(number) as generation:
                    if generation is None:
                        continue
                    first = generation.first_at(span.since_ns, 0)
                    if first > 0 or number == numbers[0]:
                        self._stand_at(number, first)
                        return

    def _step_back_to_whole_lines(self) -> None:
        """Go back to where no stream is in the middle of a line; not farther than reasonable."""
        for _ in range(_MOST_STEPS_BACK):
            if self._position == 0 or not self._cut_streams():
                return
            self._position -= 1

    def _cut_streams(self) -> set[int]:
        """The streams whose next chunk continues a line that began before the reader's place."""
        cut: set[int] = set()
        if self._generation is None:
            return cut
        seen: set[int] = set()
        for position in range(self._position - 1, max(-1, self._position - 64), -1):
            _, end, stream = self._generation.record(position)
            start = self._generation.record(position - 1)[1] if position else 0
            if end > start and stream not in seen:
                seen.add(stream)
                if os.pread(self._generation.raw, 1, end - 1) != b"\n":
                    cut.add(stream)
        return cut | ({self._generation.continued_stream()} - seen - {0})

    @contextlib.contextmanager
    def _opened(self, number: int) -> Iterator[Generation | None]:
        """Generation *number*, or None when it has just been rotated away."""
        try:
            generation = Generation(self._directory, number)
        except FileNotFoundError:
            yield None
            return
        try:
            yield generation
        finally:
            generation.close()

    def _stand_at(self, number: int, position: int) -> None:
        self.close()
        with contextlib.suppress(FileNotFoundError):
            self._generation = Generation(self._directory, number)
        self._position = position

    # -- following --------------------------------------------------------------------------------
    def begin(self, span: Span) -> Iterator[LogLine]:
        """As `read`, but an unfinished line is kept for `new_lines`."""
        lines = (
            line
            for time_ns, stream, content in self._blocks(span)
            for line in self._lines.feed(time_ns, stream, content)
        )
        yield from lines if span.tail is None else _last(lines, span.tail)

    def new_lines(self) -> Iterator[LogLine]:
        """The lines that were finished since the reader's last call."""
        for chunk, raw in self._forward():
            for start in range(chunk.start, chunk.end, CHUNK_BYTES):
                content = os.pread(raw, min(CHUNK_BYTES, chunk.end - start), start)
                yield from self._lines.feed(chunk.time_ns, chunk.stream, content)

    def new_blocks(self) -> Iterator[tuple[int, bytes]]:
        """What was written since the reader's last call, as (stream, bytes)."""
        for chunk, raw in self._forward():
            for start in range(chunk.start, chunk.end, CHUNK_BYTES):
                yield chunk.stream, os.pread(raw, min(CHUNK_BYTES, chunk.end - start), start)

    def pass_over(self) -> None:
        """Go to the end: what exists now is not read."""
        numbers = generations(self._directory)
        if numbers:
            self._stand_at(numbers[-1], 0)
        if self._generation is not None:
            self._position = self._generation.count()

    def unfinished(self) -> Iterator[LogLine]:
        """What is left without a newline; ask when nothing more will come."""
        yield from self._lines.unfinished()

    def close(self) -> None:
        if self._generation is not None:
            self._generation.close()
            self._generation = None


def _last(lines: Iterator[LogLine], count: int) -> tuple[LogLine, ...]:
    from collections import deque

    return tuple(deque(lines, maxlen=count))


def _send(target: int, raw: int, offset: int, count: int) -> int:
    """Bytes moved from *raw* to *target*; by read and write where sendfile(2) cannot."""
    try:
        return os.sendfile(target, raw, offset, count)
    except OSError as exc:
        if isinstance(exc, BrokenPipeError | BlockingIOError):
            raise
        return os.write(target, os.pread(raw, min(count, CHUNK_BYTES), offset))
