from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from orchestra.cli.render.logs import LogPrinter

if TYPE_CHECKING:
    import pytest


def printer(
    *names: str, colour: bool = False, prefix: bool = True, apart: bool = False
) -> LogPrinter:
    made = LogPrinter(colour=colour, prefix=prefix, timestamps=False, apart=apart)
    made.register(names)
    return made


def test_prefixes_stand_in_one_column(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs = printer("web-1", "worker-12")
    logs.line("web-1", b"hello\n", time_ns=0, stream=1)
    logs.line("worker-12", b"unfinished", time_ns=0, stream=1)
    logs.flush()
    assert capfdbinary.readouterr().out == b"web-1      | hello\nworker-12  | unfinished\n"


def test_a_name_that_comes_later_widens_the_column(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    logs = printer("a-1")
    logs.line("a-1", b"x\n", time_ns=0, stream=1)
    logs.line("longer-1", b"x\n", time_ns=0, stream=1)
    logs.line("a-1", b"x\n", time_ns=0, stream=1)
    logs.flush()
    assert capfdbinary.readouterr().out == b"a-1  | x\nlonger-1  | x\na-1       | x\n"


def test_colours_go_round_in_docker_s_order(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    names = [f"s{number}-1" for number in range(11)]
    logs = printer(*names, colour=True)
    for name in names:
        logs.line(name, b"\n", time_ns=0, stream=1)
    logs.flush()
    lines = capfdbinary.readouterr().out.splitlines()
    assert [line[: line.index(b"m")] for line in lines[:3]] == [b"\x1b[36", b"\x1b[33", b"\x1b[32"]
    assert lines[10].startswith(b"\x1b[36ms10-1")


def test_all_goes_to_stdout_unless_the_streams_are_apart(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    logs = printer("a-1", prefix=False)
    logs.line("a-1", b"out\n", time_ns=0, stream=1)
    logs.line("a-1", b"err\n", time_ns=0, stream=2)
    logs.blocks("a-1", [(2, b"more\n")])
    logs.flush()
    assert capfdbinary.readouterr() == (b"out\nerr\nmore\n", b"")


def test_what_went_to_stderr_goes_to_stderr(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs = printer("a-1", prefix=False, apart=True)
    logs.line("a-1", b"out\n", time_ns=0, stream=1)
    logs.line("a-1", b"err\n", time_ns=0, stream=2)
    logs.flush()
    assert capfdbinary.readouterr() == (b"out\n", b"err\n")


def test_bytes_that_are_no_text_pass_unchanged(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logs = printer("a-1", prefix=False)
    logs.line("a-1", b"\xff\x00\x1b[31m\n", time_ns=0, stream=1)
    logs.flush()
    assert capfdbinary.readouterr().out == b"\xff\x00\x1b[31m\n"


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2]), st.text("ab\n", min_size=1, max_size=12)), max_size=12
    )
)
def test_blocks_show_what_lines_show(pieces: list[tuple[int, str]]) -> None:
    shown: dict[int, bytes] = {}
    logs = printer("a-1")
    for stream in (1, 2):
        text = "".join(piece for where, piece in pieces if where == stream)
        lines = text.splitlines(keepends=True)
        shown[stream] = "".join(f"a-1  | {line.rstrip(chr(10))}\n" for line in lines).encode()
    written: dict[int, bytes] = {1: b"", 2: b""}

    def put(stream: int, text: bytes) -> None:
        written[stream] += text

    logs._put = put  # type: ignore[method-assign]  # what it would write, without a terminal
    logs.blocks("a-1", [(stream, piece.encode()) for stream, piece in pieces])
    assert written == shown
