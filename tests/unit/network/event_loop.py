"""A turn of the supervisor's loop until something is true."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.supervisor.loop import Loop


def turn_until(loop: Loop, done: Callable[[], bool], within_s: float = 5) -> None:
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline, "nothing happened"
        loop.run_once(0.01)
