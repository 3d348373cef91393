from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from orchestra.runtime.statefile import exit_code, parse_exits
from orchestra.supervisor import reaper
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def forked(action: Callable[[], object]) -> int:
    """A child that does *action* and exits 0; its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(0)
    return pid


def reaped_in_a_process_of_its_own(
    exits: Path, children: Callable[[], int], argv: list[str]
) -> None:
    """Run `reap` over the children that *children* makes (it returns the supervisor's pid)."""
    pid = forked(lambda: reaper.reap(str(exits), children(), argv))
    assert os.waitpid(pid, 0) == (pid, 0)


@pytest.mark.parametrize(("action", "code"), [("exit", 7), ("kill", 128 + signal.SIGKILL)])
def test_exit_is_noted_with_the_start_time(tmp_path: Path, action: str, code: int) -> None:
    exits = tmp_path / "exits"

    def end() -> None:
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(7)

    def children() -> int:
        forked(end)
        return forked(lambda: None)

    reaped_in_a_process_of_its_own(exits, children, [])
    ((pid, ticks), status), *rest = parse_exits(exits.read_bytes()).items()
    assert not rest
    assert pid > 0
    assert ticks > 0
    assert exit_code(status) == code


def test_killed_supervisor_is_started_anew(tmp_path: Path) -> None:
    exits, mark = tmp_path / "exits", tmp_path / "mark"
    argv = [sys.executable, "-SIE", "-c", f"open({str(mark)!r}, 'a').write('started ')"]
    reaped_in_a_process_of_its_own(
        exits, lambda: forked(lambda: os.kill(os.getpid(), signal.SIGKILL)), argv
    )
    assert mark.read_text() == "started "
    assert not exits.exists()


def test_supervisor_that_ended_well_is_not_started_anew(tmp_path: Path) -> None:
    exits, mark = tmp_path / "exits", tmp_path / "mark"
    argv = [sys.executable, "-SIE", "-c", f"open({str(mark)!r}, 'a').write('started ')"]
    reaped_in_a_process_of_its_own(exits, lambda: forked(lambda: None), argv)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("deaths", "pause_s"), [(1, 0), (5, 0), (6, 1), (7, 2), (8, 4), (12, 60), (9999, 60)]
)
def test_pause_grows_with_the_deaths_in_a_row(deaths: int, pause_s: float) -> None:
    assert reaper.pause_s(deaths) == pause_s


def test_crashing_supervisor_is_started_less_often_but_for_ever(tmp_path: Path) -> None:
    exits, mark = tmp_path / "exits", tmp_path / "mark"
    mark.write_text("")
    program = f"open({str(mark)!r}, 'a').write('x'); raise SystemExit(1)"
    argv = [sys.executable, "-SIE", "-c", program]
    at_once = "x" * reaper.AT_ONCE
    pid = forked(lambda: reaper.reap(str(exits), forked(lambda: os._exit(1)), argv))
    try:
        eventually(lambda: mark.read_text() == at_once, within_s=5)
        time.sleep(0.3)
        assert mark.read_text() == at_once  # it pauses
        eventually(lambda: mark.read_text() == at_once + "x", within_s=5)

        def started_when_asked() -> bool:
            os.kill(pid, reaper.START_NOW)  # without effect while the last one is still leaving
            return mark.read_text().startswith(at_once + "xx")

        eventually(started_when_asked, within_s=1)  # and not the two seconds that are due
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_supervisor_that_ended_well_is_started_for_a_client_that_asks(tmp_path: Path) -> None:
    exits, mark = tmp_path / "exits", tmp_path / "mark"
    argv = [sys.executable, "-SIE", "-c", f"open({str(mark)!r}, 'a').write('started ')"]

    def reap() -> None:
        forked(lambda: time.sleep(60))  # a container that goes on
        reaper.reap(str(exits), forked(lambda: None), argv)

    def asked_for() -> bool:
        os.kill(pid, reaper.START_NOW)
        return mark.exists()

    reaper.hold_signals()  # as who forks a reaper does
    pid = forked(reap)
    reaper.let_signals_through()
    try:
        eventually(asked_for, within_s=5)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
