from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from orchestra.supervisor.parking import ParkingLot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def lot() -> Iterator[ParkingLot]:
    lot = ParkingLot.new()
    yield lot
    lot.close()


def next_supervisor(lot: ParkingLot) -> ParkingLot:
    """What a process that inherits the ends sees."""
    entry, exit_ = lot.filenos()
    return ParkingLot.inherited(os.dup(entry), os.dup(exit_))


def test_parked_pipe_keeps_what_was_written(lot: ParkingLot) -> None:
    read_end, write_end = os.pipe()
    lot.park("web", (read_end,))
    os.write(write_end, b"last words")
    os.close(read_end)
    os.close(write_end)
    heir = next_supervisor(lot)
    (fd,) = heir.collect()["web"]
    assert os.read(fd, 100) == b"last words"
    os.close(fd)
    heir.close()


def test_what_was_collected_is_still_there_for_the_next_one(lot: ParkingLot) -> None:
    read_end, write_end = os.pipe()
    lot.park("web", (read_end, write_end))
    for _ in range(3):
        heir = next_supervisor(lot)
        kept = heir.collect()
        assert list(kept) == ["web"]
        for fd in kept["web"]:
            os.close(fd)
        heir.close()
    os.close(read_end)
    os.close(write_end)


def test_last_entry_of_a_key_counts(lot: ParkingLot) -> None:
    first, second = os.pipe(), os.pipe()
    lot.park("web", (first[0],))
    lot.park("web", (second[0],))
    os.write(second[1], b"new")
    (fd,) = lot.collect()["web"]
    assert os.read(fd, 10) == b"new"
    for each in (fd, *first, *second):
        os.close(each)


def test_nothing_parked_is_nothing_found(lot: ParkingLot) -> None:
    assert lot.collect() == {}
    heir = next_supervisor(lot)
    assert heir.collect() == {}
    heir.close()


def test_forgotten_entries_are_swept_and_the_others_stay(lot: ParkingLot) -> None:
    read_end, write_end = os.pipe()
    lot.park("stays", (read_end,))
    for number in range(200):
        lot.park(f"goes {number}", (read_end,))
        lot.forget(f"goes {number}")
    kept = lot.collect()
    assert "stays" in kept
    assert len(kept) < 80
    for fds in kept.values():
        for fd in fds:
            os.close(fd)
    os.close(read_end)
    os.close(write_end)


class Killed(BaseException):
    pass


def test_supervisor_killed_while_it_collects_leaves_everything_to_the_next(
    lot: ParkingLot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of it, also twice in a row."""
    keys = {"one", "two", "three"}
    read_end, write_end = os.pipe()
    for key in sorted(keys):
        lot.park(key, (read_end,))
    for steps in (1, 2, 3, 4, 5, 3, 2):
        heir, left = next_supervisor(lot), steps

        def counted(real: Callable[..., object]) -> Callable[..., object]:
            def step(*arguments: object) -> object:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                return real(*arguments)

            return step

        with monkeypatch.context() as patched:
            for name in ("_send", "_receive"):
                patched.setattr(heir, name, counted(getattr(heir, name)))
            with pytest.raises(Killed):
                heir.collect()
        heir.close()
    heir = next_supervisor(lot)
    assert set(heir.collect()) == keys
    heir.close()
    os.close(read_end)
    os.close(write_end)


def test_a_full_queue_is_collected_and_ends(lot: ParkingLot) -> None:
    entry = socket.socket(fileno=os.dup(lot.filenos()[0]))
    entry.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    read_end, write_end = os.pipe()
    for number in range(100):
        lot.park(f"many {number}", (read_end,))
    heir = next_supervisor(lot)
    first, second = heir.collect(), heir.collect()
    assert set(first) == set(second)
    assert 10 < len(first) < 100  # it was full
    for fds in (*first.values(), *second.values()):
        os.close(*fds)
    heir.close()
    entry.close()
    os.close(read_end)
    os.close(write_end)


@pytest.mark.root
def test_hundreds_of_containers_have_room(lot: ParkingLot) -> None:
    read_end, write_end = os.pipe()
    for number in range(700):
        lot.park(f"many {number}", (read_end,))
    heir = next_supervisor(lot)
    kept = heir.collect()
    heir.close()
    assert len(kept) == 700
    for fds in kept.values():
        os.close(*fds)
    os.close(read_end)
    os.close(write_end)
