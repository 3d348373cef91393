"""Pieces of work in processes: order, bounds, failures, what is left of them."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from orchestra.build.crew import Hearing, Piece, carry_out
from orchestra.errors import BuildError, NotFound
from orchestra.model.source import Position

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tell = Callable[[str], None]

_SOON_S = 20.0


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.results: dict[str, str] = {}

    def hearing(self) -> Hearing[str, str, str]:
        return Hearing(lambda key, text: self.told.append((key, text)), self.results.__setitem__)


def meet(directory: Path, own: str, other: str) -> None:
    """Say that *own* is here, and wait until *other* is, too."""
    (directory / own).touch()
    deadline_s = time.monotonic() + _SOON_S
    while not (directory / other).exists():
        assert time.monotonic() < deadline_s, f"{other} has not come"
        os.sched_yield()


def test_what_is_independent_runs_at_the_same_time_and_others_wait(tmp_path: Path) -> None:
    heard = Heard()

    def work(own: str, other: str) -> Callable[[Tell, bool], str]:
        def it(tell: Tell, apart: bool) -> str:
            assert apart
            meet(tmp_path, own, other)
            tell(f"met {other}")
            return own.upper()

        return it

    def last(tell: Tell, apart: bool) -> str:
        assert not apart, "nobody else is at work: no process for it"
        tell(" and ".join(sorted(heard.results)))
        return "end"

    carry_out(
        {
            "c": Piece(("a", "b"), last),
            "a": Piece((), work("a", "b")),
            "b": Piece((), work("b", "a")),
        },
        heard.hearing(),
        at_once=2,
    )
    assert heard.results == {"a": "A", "b": "B", "c": "end"}
    assert sorted(heard.told) == [("a", "met b"), ("b", "met a"), ("c", "a and b")]


def test_no_more_than_at_once_run(tmp_path: Path) -> None:
    def work(tell: Tell, apart: bool) -> str:
        del tell, apart
        (tmp_path / str(os.getpid())).touch()
        count = len(os.listdir(tmp_path))
        os.unlink(tmp_path / str(os.getpid()))
        return str(count)

    heard = Heard()
    carry_out({str(number): Piece((), work) for number in range(6)}, heard.hearing(), at_once=2)
    assert set(heard.results.values()) <= {"1", "2"}


def test_the_first_failure_cancels_the_others_and_arrives_whole(tmp_path: Path) -> None:
    def patient(tell: Tell, apart: bool) -> str:
        del apart
        (tmp_path / "begun").touch()
        try:
            signal.pause()
        except KeyboardInterrupt:
            tell("undone")
            raise
        return ""

    def failing(tell: Tell, apart: bool) -> str:
        del tell, apart
        meet(tmp_path, "ready", "begun")
        raise BuildError("no", where=Position("Dockerfile", 3, 1), fix="mend").at("services", "a")

    heard = Heard()
    pieces = {
        "bad": Piece((), failing),
        "other": Piece((), patient),
        "never": Piece(("bad",), patient),
    }
    with pytest.raises(BuildError) as caught:
        carry_out(pieces, heard.hearing(), at_once=2)
    assert str(caught.value) == "Dockerfile:3:1: no\n  fix: mend"
    assert caught.value.path == ("services", "a")
    assert heard.told == [("other", "undone")]
    assert heard.results == {}
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_worker_that_is_killed_is_an_error() -> None:
    def work(tell: Tell, apart: bool) -> str:
        del tell, apart
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    with pytest.raises(BuildError, match="signal 9"):
        carry_out({"a": Piece((), work), "b": Piece((), work)}, Heard().hearing(), at_once=2)


def test_ctrl_c_ends_the_workers() -> None:
    def work(tell: Tell, apart: bool) -> str:
        del apart
        tell(str(os.getpid()))
        signal.pause()
        return ""

    pids: list[int] = []

    def told(_: str, text: str) -> None:
        pids.append(int(text))
        if len(pids) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(
            {"a": Piece((), work), "b": Piece((), work)},
            Hearing(told, lambda *_: None),
            at_once=2,
        )
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_errors_of_every_kind_are_themselves_on_the_other_side() -> None:
    def work(tell: Tell, apart: bool) -> str:
        del tell, apart
        raise NotFound("gone", fix="look")

    with pytest.raises(NotFound, match="gone"):
        carry_out({"a": Piece((), work), "b": Piece((), work)}, Heard().hearing(), at_once=2)
