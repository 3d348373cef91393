"""The process that waits to be told of which project it is the supervisor."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING, NoReturn

from orchestra.supervisor.parking import ParkingLot
from orchestra.supervisor.seed import Seed
from orchestra.supervisor.spawn import Birth

if TYPE_CHECKING:
    from pathlib import Path


def _nothing() -> None:
    return


def _answer(name: str, birth: Birth) -> NoReturn:
    """Serve one connection by telling the name and what was parked."""
    assert birth.listener is not None
    connected, _ = birth.listener.accept()
    leaks = [fd for fd in (*birth.lot.filenos(), birth.listener.fileno()) if os.get_inheritable(fd)]
    connected.sendall(f"{name} {sorted(birth.lot.collect())} {leaks}".encode())
    os._exit(0)


def _listening(tmp_path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    listener.listen()
    return listener


def _said(tmp_path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(tmp_path / "socket"))
        return client.recv(1000).decode()


def _wait_for_all_children() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def test_a_seed_gets_the_project_the_socket_and_the_parked_descriptors(tmp_path: Path) -> None:
    seed = Seed.plant(_nothing, _answer)
    assert seed is not None
    lot = ParkingLot.new()
    lot.park("kept", (0,))
    with _listening(tmp_path) as listener:
        assert seed.grow("demo", Birth(lot, listener), listener)
    lot.close()
    assert _said(tmp_path) == "demo ['kept'] []", "and a reaper would inherit nothing"


def test_a_seed_warms_up_before_it_is_told(tmp_path: Path) -> None:
    warm = tmp_path / "warm"
    seed = Seed.plant(warm.touch, _answer)
    assert seed is not None
    deadline_s = time.monotonic() + 10
    while not warm.exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert warm.exists()
    seed.close()


def test_a_seed_that_is_not_needed_ends() -> None:
    read_end, write_end = os.pipe()
    seed = Seed.plant(_nothing, _answer)
    assert seed is not None
    os.close(write_end)
    seed.close()
    assert os.read(read_end, 1) == b""  # nobody holds the other end any more
    os.close(read_end)


def test_a_seed_that_has_died_is_noticed(tmp_path: Path) -> None:
    def die() -> None:
        os._exit(1)

    _wait_for_all_children()  # of earlier tests
    seed = Seed.plant(die, _answer)
    assert seed is not None
    _wait_for_all_children()
    lot = ParkingLot.new()
    with _listening(tmp_path) as listener:
        assert not seed.grow("demo", Birth(lot, listener), listener)
    lot.close()
