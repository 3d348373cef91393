from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchestra.supervisor.parking import ParkingLot

if TYPE_CHECKING:
    from collections.abc import Iterator


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
