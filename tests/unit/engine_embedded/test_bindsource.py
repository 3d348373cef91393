"""The directory behind a bind mount, made for whoever comes first."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from orchestra.engine.embedded.bindsource import make_bind_source

if TYPE_CHECKING:
    from pathlib import Path


def test_several_make_it_at_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(8)

    def make(place: str) -> None:
        barrier.wait()
        try:
            make_bind_source(place, "")
        except OSError as exc:
            failures.append(exc)

    for number in range(20):
        place = str(tmp_path / str(number) / "a" / "b" / "c")
        threads = [threading.Thread(target=make, args=(place,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert os.path.isdir(place)
    assert failures == []
