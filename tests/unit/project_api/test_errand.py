"""Errands: tasks in another interpreter, their results, failures, interruptions and wills."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, NoReturn

import pytest

from orchestra.errors import ConfigError, Interrupted, RuntimeFailure
from orchestra.plan.events import Phase, Progress
from orchestra.project_api.errand import Errand
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from orchestra.plan.events import Report


# -- what the other interpreter does --------------------------------------------------------------
def say(report: Report, text: str) -> tuple[str, int, int]:
    report(Progress("thing", Phase.DONE, text))
    return (text.upper(), os.getpid(), threading.active_count())


def refuse(_report: Report) -> None:
    raise ConfigError("it is wrong", fix="mend it").at("services", "web")


def stumble(_report: Report) -> None:
    raise LookupError("a mistake")


def be_killed(_report: Report) -> NoReturn:
    sys.stderr.write("so it ends\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def print_much(_report: Report) -> None:
    os.write(1, b"x" * 100_000)
    os.write(2, b"x" * 100_000)


def wait_for_ever(report: Report, path: str) -> None:
    try:
        report(Progress("", Phase.WORKING, "waiting"))
        while True:
            signal.pause()
    except KeyboardInterrupt:
        write(report, path, "interrupted")
        raise


def write(_report: Report, path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# -- the caller's side ----------------------------------------------------------------------------
def unheard(_progress: Progress) -> None:
    pass


def test_a_task_is_done_elsewhere_and_tells_its_progress() -> None:
    heard: list[Progress] = []
    text, pid, threads = Errand(os.environ).run(heard.append, say, "hello")
    assert (text, threads) == ("HELLO", 1)
    assert pid != os.getpid()
    assert heard == [Progress("thing", Phase.DONE, "hello")]


def test_it_works_beside_threads_and_in_several_at_once() -> None:
    found: list[str] = []

    def run(number: int) -> None:
        found.append(Errand(os.environ).run(unheard, say, f"n{number}")[0])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["N0", "N1", "N2", "N3"]


def test_errors_arrive_as_they_were_raised() -> None:
    with pytest.raises(ConfigError, match="it is wrong") as caught:
        Errand(os.environ).run(unheard, refuse)
    assert (caught.value.fix, caught.value.path) == ("mend it", ("services", "web"))


def test_a_mistake_of_ours_shows_where_it_was_made() -> None:
    with pytest.raises(LookupError) as caught:
        Errand(os.environ).run(unheard, stumble)
    assert "in stumble" in caught.value.__notes__[0]


def test_an_errand_that_is_killed_is_told_with_what_it_said() -> None:
    with pytest.raises(RuntimeFailure, match="was killed by signal 9: so it ends"):
        Errand(os.environ).run(unheard, be_killed)


def test_nothing_of_it_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    Errand(os.environ).run(unheard, print_much)
    assert capfd.readouterr() == ("", "")


def test_it_ends_when_its_caller_is_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "end"

    def interrupt(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Errand(os.environ).run(interrupt, wait_for_ever, str(path))
    assert path.read_text() == "interrupted"


def test_an_interrupt_of_its_own_is_told(tmp_path: Path) -> None:
    errand = Errand(os.environ)
    timer = threading.Timer(0, errand.interrupt)

    def heard(_progress: Progress) -> None:
        timer.start()

    with pytest.raises(Interrupted):
        errand.run(heard, wait_for_ever, str(tmp_path / "end"))
    timer.join()


def test_a_will_is_carried_out_when_the_caller_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "will"
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            Errand(os.environ).bequeath(write, str(path), "done")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    eventually(lambda: path.read_text() == "done", within_s=10)


def test_a_will_is_not_carried_out_besides_a_task(tmp_path: Path) -> None:
    path = tmp_path / "will"
    errand = Errand(os.environ)
    errand.bequeath(write, str(path), "done")
    assert errand.run(unheard, say, "a")[0] == "A"
    assert not path.exists()


def test_one_with_a_will_is_not_interrupted_with_its_caller(tmp_path: Path) -> None:
    path = tmp_path / "task"
    errand = Errand(os.environ)
    errand.bequeath(write, str(path), "by will")

    def interrupt(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        errand.run(interrupt, say_and_write, str(path))
    assert path.read_text() == "by task"


def say_and_write(report: Report, path: str) -> None:
    report(Progress("", Phase.WORKING, "begun"))
    time.sleep(0.1)  # so that it would be interrupted, if it were
    write(report, path, "by task")
