"""Two processes do the work where there is much of it, and tell as one what went wrong."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING

import pytest

from orchestra.build.halves import in_halves
from orchestra.build.selection import CopyError

if TYPE_CHECKING:
    from collections.abc import Sequence

MANY = list(range(1000))


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


class Told:
    """What processes have done: pairs of pid and item, through a pipe."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def work(self, items: Sequence[int]) -> None:
        for item in items:
            os.write(self._writing, b"%d %d\n" % (os.getpid(), item))

    def read(self) -> list[tuple[int, int]]:
        os.close(self._writing)
        with open(self._reading) as pipe:
            return [(int(pid), int(item)) for pid, item in map(str.split, pipe)]


def nothing(_: int) -> int:
    return 0


def test_many_items_are_shared_by_two_processes() -> None:
    told = Told()
    in_halves(told.work, MANY, nothing, CopyError)
    done = told.read()
    assert sorted(item for _, item in done) == MANY
    ours = [item for pid, item in done if pid == os.getpid()]
    assert ours == MANY[:500]


@pytest.mark.parametrize(("items", "size"), [([], 1), ([1], 1 << 40), (MANY[:400], 0)])
def test_little_work_needs_no_second_process(items: list[int], size: int) -> None:
    told = Told()
    in_halves(told.work, items, lambda _: size, CopyError)
    assert told.read() == [(os.getpid(), item) for item in items]


def test_halves_have_the_same_size_not_the_same_number() -> None:
    told = Told()
    in_halves(told.work, [1, 2, 3, 4], lambda item: 1 << 30 if item == 1 else 1 << 25, CopyError)
    assert [item for pid, item in told.read() if pid == os.getpid()] == [1]


@pytest.mark.parametrize("bad", [0, 999])
def test_an_error_is_that_of_its_half(bad: int) -> None:
    def work(items: Sequence[int]) -> None:
        if bad in items:
            raise OSError(errno.ENOSPC, "No space left on device", "/app/file")

    with pytest.raises(OSError, match="No space left") as caught:
        in_halves(work, MANY, nothing, CopyError)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/app/file")


def test_a_sentence_of_the_second_half_is_told() -> None:
    def work(items: Sequence[int]) -> None:
        if 999 in items:
            raise CopyError("cannot copy a file over the directory /app")

    with pytest.raises(CopyError, match=r"^cannot copy a file over the directory /app$"):
        in_halves(work, MANY, nothing, CopyError)


def test_a_killed_second_half_is_an_error() -> None:
    def work(items: Sequence[int]) -> None:
        if 999 in items:
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(CopyError, match="was killed"):
        in_halves(work, MANY, nothing, CopyError)


def test_the_second_half_does_not_go_on_when_the_first_has_failed() -> None:
    never, writing = os.pipe()  # which is open: nobody comes to the end of the other

    def work(items: Sequence[int]) -> None:
        if 0 in items:
            raise CopyError("no")
        os.read(never, 1)

    with pytest.raises(CopyError, match=r"^no$"):
        in_halves(work, MANY, nothing, CopyError)
    os.close(never)
    os.close(writing)
