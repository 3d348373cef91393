"""Waiting for something to become true, without a sleep in the test."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PAUSE_S = 0.02


def eventually(check: Callable[[], T], *, within_s: float) -> T:
    """What *check* returns as soon as that is true and it raises no AssertionError or OSError.

    After *within_s* seconds its last exception is raised, or AssertionError with its last value.
    """
    deadline = time.monotonic() + within_s
    while True:
        failure: Exception | None = None
        try:
            value = check()
            if value:
                return value
        except (AssertionError, OSError) as exc:
            failure = exc
        if time.monotonic() >= deadline:
            if failure is not None:
                raise failure
            raise AssertionError(f"still {value!r} after {within_s} s")
        time.sleep(PAUSE_S)
