"""A dry run: a plan is gone through and reported as if it were executed, and nothing is done."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

from orchestra.plan.execute import execute
from orchestra.supervisor.light import LightCompletion

if TYPE_CHECKING:
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan

R = TypeVar("R")


class _Rehearsal:
    """Answers every request with success, in the order of asking; see `plan.execute.Requests`."""

    def __init__(self) -> None:
        self._last_ticket = 0
        self._under_way: deque[int] = deque()

    def submit(self, request: object, /) -> int:  # noqa: ARG002 (nothing is done with it)
        self._last_ticket += 1
        self._under_way.append(self._last_ticket)
        return self._last_ticket

    def next_completion(self, timeout_s: float | None = None) -> LightCompletion | None:  # noqa: ARG002
        return LightCompletion(self._under_way.popleft()) if self._under_way else None


def rehearse(plan: Plan[R], report: Report) -> None:
    """Report what executing *plan* would, if all went well."""
    execute(plan, _Rehearsal(), report)
