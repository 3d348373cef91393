from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.errors import ConfigError
from orchestra.runtime.logread import Log, LogLine, Span
from orchestra.runtime.logs import (
    STDERR,
    STDOUT,
    LogWriter,
    Rotation,
    generations,
    index_path,
    raw_path,
    rotation,
)

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 10
        return self.now_ns


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "log")


@pytest.fixture
def writer(directory: str) -> Iterator[LogWriter]:
    writer = LogWriter(directory, Rotation(), Clock())
    yield writer
    writer.close()


def read(directory: str, span: Span = Span()) -> list[LogLine]:  # noqa: B008
    log = Log(directory)
    try:
        return list(log.read(span))
    finally:
        log.close()


def texts(directory: str, span: Span = Span()) -> list[bytes]:  # noqa: B008
    return [line.text for line in read(directory, span)]


def test_log_that_is_not_there_is_empty(directory: str) -> None:
    assert read(directory) == []
    assert read(directory, Span(tail=3, since_ns=1)) == []


def test_lines_have_stream_and_time(directory: str, writer: LogWriter) -> None:
    writer.write(b"out\n", STDOUT)
    writer.write(b"err\n", STDERR)
    lines = read(directory)
    assert [(line.stream, line.text) for line in lines] == [(1, b"out\n"), (2, b"err\n")]
    assert lines[0].time_ns < lines[1].time_ns


def test_line_in_pieces_is_one_line(directory: str, writer: LogWriter) -> None:
    writer.write(b"be", STDOUT)
    writer.write(b"error\n", STDERR)
    writer.write(b"gin\nnext", STDOUT)
    assert texts(directory) == [b"error\n", b"begin\n", b"next"]


def test_carriage_return_does_not_end_a_line(directory: str, writer: LogWriter) -> None:
    writer.write(b"10%\r20%\r\nx\x0by\x0cz\x85\n", STDOUT)
    assert texts(directory) == [b"10%\r20%\r\n", b"x\x0by\x0cz\x85\n"]


@pytest.mark.parametrize("tail", [0, 1, 3, 10, 100])
def test_tail_is_the_last_lines(directory: str, writer: LogWriter, tail: int) -> None:
    lines = [b"line %d\n" % number for number in range(10)]
    for line in lines:
        writer.write(line, STDOUT)
    assert texts(directory, Span(tail=tail)) == (lines[-tail:] if tail else [])


def test_tail_reads_only_the_end(directory: str, writer: LogWriter) -> None:
    for number in range(2000):
        writer.write(b"%d %s\n" % (number, b"x" * 1000), STDOUT)
    with open(raw_path(directory, 1), "r+b") as file:
        file.write(b"?" * 100_000)  # whoever reads the beginning notices
    assert [line[:4] for line in texts(directory, Span(tail=2))] == [b"1998", b"1999"]


def test_since_and_until_cut_by_time(directory: str, writer: LogWriter) -> None:
    for number in range(6):
        writer.write(b"%d\n" % number, STDOUT)
    times = [line.time_ns for line in read(directory)]
    assert texts(directory, Span(since_ns=times[2])) == [b"2\n", b"3\n", b"4\n", b"5\n"]
    assert texts(directory, Span(since_ns=times[2], until_ns=times[3])) == [b"2\n", b"3\n"]
    assert texts(directory, Span(tail=1, until_ns=times[3])) == [b"3\n"]


def test_copy_is_the_bytes_as_they_came(
    directory: str, writer: LogWriter, tmp_path: pathlib.Path
) -> None:
    writer.write(b"a\nb", STDOUT)
    writer.write(b"c\n", STDERR)
    with open(tmp_path / "copy", "wb") as file:
        assert Log(directory).copy(file.fileno()) == 5
    assert (tmp_path / "copy").read_bytes() == b"a\nbc\n"


def test_rotation_keeps_the_newest_files(directory: str) -> None:
    writer = LogWriter(directory, Rotation(100, 3), Clock())
    lines = [b"%098d\n" % number for number in range(20)]
    for line in lines:
        writer.write(line, STDOUT)
    writer.close()
    assert len(generations(directory)) == 3
    kept = texts(directory)
    assert kept == lines[-len(kept) :]
    assert len(kept) >= 4
    assert texts(directory, Span(tail=3)) == lines[-3:]


def test_follower_sees_new_lines_across_a_rotation(directory: str) -> None:
    writer = LogWriter(directory, Rotation(30, 2), Clock())
    log = Log(directory)
    assert list(log.begin(Span())) == []
    seen = []
    lines = [b"number %d\n" % number for number in range(20)]
    for line in lines:
        writer.write(line, STDOUT)
        seen += [entry.text for entry in log.new_lines()]
    writer.close()
    log.close()
    assert seen == lines


def _cut_index(directory: str, size: int) -> None:
    os.truncate(index_path(directory, 1), size)


@pytest.mark.parametrize("cut", [16, 7, 1])
def test_record_missing_after_a_kill_is_added(directory: str, cut: int) -> None:
    """Killed between the splice and the record: the bytes belong to the stream last announced."""
    writer = LogWriter(directory, Rotation(), Clock())
    writer.write(b"out\n", STDOUT)
    writer.write(b"err\n", STDERR)
    writer.close()
    _cut_index(directory, os.path.getsize(index_path(directory, 1)) - cut)
    writer = LogWriter(directory, Rotation(), Clock())
    writer.write(b"more\n", STDOUT)
    writer.close()
    lines = [(line.stream, line.text) for line in read(directory)]
    assert lines == [(1, b"out\n"), (2, b"err\n"), (1, b"more\n")]


def test_records_of_lost_bytes_are_dropped(directory: str) -> None:
    """A crash of the host may keep the index and lose the end of the bytes."""
    writer = LogWriter(directory, Rotation(), Clock())
    writer.write(b"kept\n", STDOUT)
    writer.write(b"lost\n", STDOUT)
    writer.close()
    os.truncate(raw_path(directory, 1), 5)
    writer = LogWriter(directory, Rotation(), Clock())
    writer.write(b"new\n", STDOUT)
    writer.close()
    assert texts(directory) == [b"kept\n", b"new\n"]


def _through_a_pipe(writer: LogWriter, content: bytes) -> int:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.write(write_end, content)
    count = writer.take_from(read_end, STDOUT)
    with pytest.raises(BlockingIOError):
        writer.take_from(read_end, STDOUT)
    os.close(write_end)
    assert writer.take_from(read_end, STDOUT) == 0
    os.close(read_end)
    return count


def test_chunk_is_taken_from_a_pipe(directory: str, writer: LogWriter) -> None:
    assert _through_a_pipe(writer, b"one\ntwo\n") == 8
    assert texts(directory) == [b"one\n", b"two\n"]


def test_no_file_is_larger_than_its_size_however_much_comes_at_once(directory: str) -> None:
    writer = LogWriter(directory, Rotation(1000, 100))
    lines = [b"line %d of many\n" % number for number in range(1500)]
    assert _through_a_pipe(writer, b"".join(lines)) == sum(map(len, lines))
    writer.close()
    sizes = [os.path.getsize(raw_path(directory, each)) for each in generations(directory)]
    assert max(sizes) <= 1000
    assert texts(directory) == lines


def test_the_rest_of_a_line_whose_beginning_is_gone_is_no_line(directory: str) -> None:
    writer = LogWriter(directory, Rotation(1000, 3))
    lines = [b"line %d of many\n" % number for number in range(1500)]
    _through_a_pipe(writer, b"".join(lines))
    kept = texts(directory)
    assert 100 < len(kept) < 200
    assert kept == lines[-len(kept) :]
    assert b"".join(content for _, content in Log(directory).blocks()) == b"".join(kept)
    for tail in range(len(kept)):
        assert [line.text for line in Log(directory).read(Span(tail=tail))] == kept[
            len(kept) - tail :
        ]
    writer.close()
    LogWriter(directory, Rotation(1000, 3)).close()
    assert texts(directory) == kept


def test_what_cannot_be_spliced_is_read(
    directory: str, writer: LogWriter, refuse_splice: Callable[[], None]
) -> None:
    refuse_splice()
    assert _through_a_pipe(writer, b"one\n") == 4
    assert texts(directory) == [b"one\n"]


@pytest.fixture
def refuse_splice(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(*_args: object, **_named: object) -> int:
        raise OSError(22, "Invalid argument")

    return lambda: monkeypatch.setattr(os, "splice", refuse)


CHUNKS = st.lists(
    st.tuples(
        st.sampled_from([STDOUT, STDERR]),
        st.lists(st.sampled_from([b"a", b"\n", b"bc"]), min_size=1).map(b"".join),
    ),
    max_size=30,
)


@settings(max_examples=60)
@given(CHUNKS, st.integers(0, 40))
def test_any_chunks_come_back_as_lines(
    tmp_path_factory: pytest.TempPathFactory,
    chunks: list[tuple[int, bytes]],
    size: int,
) -> None:
    directory = str(tmp_path_factory.mktemp("log"))
    writer = LogWriter(directory, Rotation(size, 1000), Clock())
    for stream, content in chunks:
        writer.write(content, stream)
    writer.close()
    lines = read(directory)
    for stream in (STDOUT, STDERR):
        written = b"".join(content for each, content in chunks if each == stream)
        assert b"".join(line.text for line in lines if line.stream == stream) == written
    assert all(line.text.count(b"\n") <= 1 for line in lines)


@settings(max_examples=60)
@given(CHUNKS, st.integers(0, 12))
def test_tail_of_any_chunks_is_the_last_lines(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[int, bytes]], tail: int
) -> None:
    directory = str(tmp_path_factory.mktemp("log"))
    writer = LogWriter(directory, Rotation(), Clock())
    for stream, content in (*chunks, (STDOUT, b"\n"), (STDERR, b"\n")):
        writer.write(content, stream)
    writer.close()
    lines = read(directory)
    assert read(directory, Span(tail=tail)) == (lines[-tail:] if tail else [])


@pytest.mark.parametrize(
    ("driver", "options", "expected"),
    [
        ("json-file", (), Rotation(0, 1)),
        ("json-file", (("max-size", "10m"), ("max-file", "3")), Rotation(10_000_000, 3)),
        ("json-file", (("max-size", "1.5K"),), Rotation(1500, 1)),
        ("json-file", (("max-size", "-1"),), Rotation(0, 1)),
        ("local", (), Rotation(20_000_000, 5)),
        ("none", (), Rotation(0, 1)),
    ],
)
def test_logging_options(
    driver: str, options: tuple[tuple[str, str], ...], expected: Rotation
) -> None:
    assert rotation(driver, options) == expected


def test_unknown_driver_is_an_error_with_a_fix() -> None:
    with pytest.raises(ConfigError, match="fluentd") as caught:
        rotation("fluentd", ())
    assert "json-file" in caught.value.fix


def test_bad_size_is_an_error_with_an_example() -> None:
    with pytest.raises(ConfigError, match="logging options"):
        rotation("json-file", (("max-size", "ten"),))


@given(chunks=st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=9))))
@settings(max_examples=60)
def test_blocks_are_what_was_written_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[int, bytes]]
) -> None:
    directory = str(tmp_path_factory.mktemp("log"))
    writer = LogWriter(directory, Rotation(), Clock())
    log = Log(directory)
    read_back: dict[int, bytes] = {STDOUT: b"", STDERR: b""}
    for position, (stream, content) in enumerate(chunks):
        writer.write(content, stream)
        if position % 3 == 0:
            for origin, block in log.new_blocks():
                read_back[origin] += block
    for origin, block in log.new_blocks():
        read_back[origin] += block
    for stream in (STDOUT, STDERR):
        assert read_back[stream] == b"".join(c for s, c in chunks if s == stream)
    log.close()
    writer.close()


def test_blocks_go_on_through_a_new_generation(directory: str) -> None:
    writer = LogWriter(directory, Rotation(max_bytes=10, max_files=3), Clock())
    log = Log(directory)
    seen = b""
    for number in range(40):
        writer.write(b"%04d" % number, STDOUT)
        seen += b"".join(content for _, content in log.new_blocks())
    assert seen == b"".join(b"%04d" % number for number in range(40))
    log.close()
    writer.close()


def test_what_is_passed_over_is_not_read(directory: str, writer: LogWriter) -> None:
    log = Log(directory)
    writer.write(b"before", STDOUT)
    log.pass_over()
    assert list(log.new_blocks()) == []
    writer.write(b"after", STDERR)
    assert list(log.new_blocks()) == [(STDERR, b"after")]
    log.close()
