"""What executing a plan took: when each operation began and ended, and what it needed. Cheap.

Times are nanoseconds since the epoch. Pulls and builds, which come before a plan, are noted from
their progress.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from orchestra.named import NamedTuple
from orchestra.plan.events import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.plan.events import Progress, Report
    from orchestra.plan.operations import Operation

DONE, FAILED, UNFINISHED = "done", "failed", "unfinished"


class Span(NamedTuple):
    """One operation; *after* are the keys of those it waited for. Images have keys below 0."""

    key: int
    verb: str  # "create", "start", "await healthy" …, "pull", "build"
    resource: str
    begin_ns: int
    end_ns: int
    cause: str = ""
    after: tuple[int, ...] = ()
    outcome: str = DONE


class Trace(NamedTuple):
    """One `up`: *begin_ns* to *end_ns*, and what happened in between."""

    begin_ns: int
    end_ns: int
    spans: tuple[Span, ...] = ()


class Recorder:
    """Notes begins and ends while they happen; `trace` is what it comes to."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._begin_ns = clock_ns()
        self._open: dict[int, tuple[Operation[Any], int]] = {}
        self._offset = 0  # added to the keys of the plan under way
        self._images: dict[str, tuple[str, int]] = {}  # resource -> (verb, begin)
        self._spans: list[Span] = []  # of images, and of the plans before
        self._ended: list[tuple[Operation[Any], int, int, str]] = []
        self._keys_of_images = 0

    def began(self, operation: Operation[Any]) -> None:
        self._open[operation.key] = (operation, self._clock_ns())

    def next_plan(self) -> None:
        """Another plan is about to be executed, whose keys begin at 1 again."""
        self._spans += map(self._span, self._ended)
        self._ended.clear()
        self._offset = max((span.key for span in self._spans), default=0)

    def ended(self, operation: Operation[Any], *, failed: bool) -> None:
        _, begin = self._open.pop(operation.key)
        outcome = FAILED if failed else DONE
        self._ended.append((operation, begin, self._clock_ns(), outcome))

    def noting_images(self, report: Report) -> Report:
        """*report*, from which pulls and builds of images are noted as well."""

        def noting(progress: Progress) -> None:
            if progress.resource.startswith("Image ") and not progress.parent:
                self._note_image(progress)
            report(progress)

        return noting

    def _note_image(self, progress: Progress) -> None:
        now = self._clock_ns()
        if progress.phase is Phase.WORKING:
            verb = "build" if progress.text.startswith("Build") else "pull"
            self._images.setdefault(progress.resource, (verb, now))
            return
        verb, begin = self._images.pop(progress.resource, ("", 0))
        if verb:
            self._keys_of_images -= 1
            outcome = FAILED if progress.phase is Phase.FAILED else DONE
            key, resource = self._keys_of_images, progress.resource
            self._spans.append(Span(key, verb, resource, begin, now, "", (), outcome))

    def trace(self) -> Trace:
        """All of it, in the order of the begins; what is under way ends now."""
        now = self._clock_ns()
        open_ = [(each, begin, now, UNFINISHED) for each, begin in self._open.values()]
        spans = [*self._spans, *map(self._span, (*self._ended, *open_))]
        spans.sort(key=lambda span: (span.begin_ns, span.key))
        return Trace(self._begin_ns, now, tuple(spans))

    def _span(self, noted: tuple[Operation[Any], int, int, str]) -> Span:
        operation, begin_ns, end_ns, outcome = noted
        return Span(
            operation.key + self._offset,
            operation.verb.label,
            operation.resource,
            begin_ns,
            end_ns,
            operation.cause,
            tuple(key + self._offset for key in (*operation.needs, *operation.wants)),
            outcome,
        )
