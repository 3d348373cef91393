"""Executes a plan: a pure state machine (`Execution`) and the loop that obeys it (`execute`).

The loop keeps every operation that can run under way at once, without a thread: requests go out as
soon as what they need has ended, answers come back in any order.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from orchestra.errors import Conflict, Interrupted, OrchestraError
from orchestra.plan.events import Phase, Progress
from orchestra.plan.operations import Operation, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan
    from orchestra.plan.trace import Recorder

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)


class Answer(Protocol):
    """What an engine answers; `engine.base.Completion` is one."""

    @property
    def ticket(self) -> int: ...
    @property
    def error(self) -> OrchestraError | None: ...
    @property
    def exit_code(self) -> int | None: ...
    @property
    def detail(self) -> str: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


class Requests(Protocol[R_contra]):
    """The part of an engine that executing a plan takes; `engine.base.Engine` has it."""

    def submit(self, request: R_contra, /) -> int: ...
    def next_completion(self, timeout_s: float | None = None) -> Answer | None: ...


class Execution(Generic[R]):
    """How far a plan has come. Pure: it is told what has ended, and says what can begin."""

    def __init__(self, plan: Plan[R]) -> None:
        self._operations = {operation.key: operation for operation in plan.operations}
        self._blockers = {o.key: len(o.needs) + len(o.wants) for o in plan.operations}
        self._dependents: dict[int, list[int]] = {}
        for operation in plan.operations:
            for key in (*operation.needs, *operation.wants):
                self._dependents.setdefault(key, []).append(operation.key)
        self._ready = [key for key, count in self._blockers.items() if count == 0]
        self._doomed: dict[int, str] = {}  # key -> the resource whose failure dooms it
        self._open = len(self._operations)
        self.failures: list[tuple[Operation[R], OrchestraError]] = []
        self.skipped: list[Operation[R]] = []

    @property
    def is_over(self) -> bool:
        return self._open == 0

    def ready(self) -> list[Operation[R]]:
        """The operations that may begin now; each is given out once."""
        keys, self._ready = self._ready, []
        return [self._operations[key] for key in keys]

    def finished(self, key: int) -> list[Operation[R]]:
        """Operation *key* has ended well. Returns what is skipped now: wants may end a wait."""
        return self._end(key, failed=False)

    def failed(self, key: int, error: OrchestraError) -> list[Operation[R]]:
        """Operation *key* has failed. Returns all the operations that are skipped for it."""
        operation = self._operations[key]
        if not operation.optional:
            self.failures.append((operation, error))
        return self._end(key, failed=True)

    def cause_of_skip(self, key: int) -> str:
        """The resource whose failure made operation *key* be skipped."""
        return self._doomed[key]

    def _end(self, key: int, *, failed: bool) -> list[Operation[R]]:
        skipped: list[Operation[R]] = []
        ended = [(key, failed)]
        while ended:
            done, broken = ended.pop()
            self._open -= 1
            for dependent in self._dependents.get(done, ()):
                if broken and done in self._operations[dependent].needs:
                    root = self._doomed.get(done, self._operations[done].resource)
                    self._doomed.setdefault(dependent, root)
                self._blockers[dependent] -= 1
                if self._blockers[dependent]:
                    continue
                if dependent in self._doomed:
                    skipped.append(self._operations[dependent])
                    ended.append((dependent, True))
                else:
                    self._ready.append(dependent)
        self.skipped += skipped
        return skipped


IN_USE = "Resource is still in use"


class TimedOut(OrchestraError):
    """The wait was longer than the user allows."""


class DependencyFailed(OrchestraError):
    """A one-shot service ended with a status other than 0."""


def execute(
    plan: Plan[R],
    engine: Requests[R],
    report: Report,
    *,
    pause: Callable[[], None] | None = None,
    timeout_s: float | None = None,
    recorder: Recorder | None = None,
) -> None:
    """Carry *plan* out, as parallel as its dependencies allow.

    *pause* is called when there is no answer yet and returns when there may be one: the caller has
    more to watch than the engine. Raises the first failure after everything that did not depend on
    it is done, TimedOut after *timeout_s*, and Interrupted at Ctrl-C: what is under way then is
    finished by the engine, nothing new is begun.
    """
    for warning in plan.warnings:
        report(Progress("", Phase.WARNING, warning))
    for resource in plan.kept:
        report(Progress(resource, Phase.DONE, "Running"))
    execution = Execution(plan)
    answers = _answers(engine, pause, timeout_s)
    try:
        _run(execution, engine, report, answers, recorder)
    except KeyboardInterrupt as exc:
        raise Interrupted("interrupted") from exc
    if execution.failures:
        raise execution.failures[0][1]


def _answers(
    engine: Requests[R], pause: Callable[[], None] | None, timeout_s: float | None
) -> Iterator[Answer]:
    """The engine's answers as they come, without end. Raises TimedOut."""
    deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
        answer = engine.next_completion(0.0 if pause is not None else left_s)
        if answer is not None:
            yield answer
        elif left_s == 0.0:
            raise TimedOut(
                f"not ready after {timeout_s:g} s", fix="`orchestra ps` shows what lacks"
            )
        elif pause is not None:
            pause()


def _run(
    execution: Execution[R],
    engine: Requests[R],
    report: Report,
    answers: Iterator[Answer],
    recorder: Recorder | None,
) -> None:
    under_way: dict[int, Operation[R]] = {}
    warned: set[str] = set()
    while not execution.is_over:
        for operation in execution.ready():
            _tell(report, operation, Phase.WORKING, operation.verb.doing)
            if recorder is not None:
                recorder.began(operation)
            under_way[engine.submit(operation.request)] = operation
        answer = next(answers)
        if answer.ticket not in under_way:
            continue
        operation = under_way.pop(answer.ticket)
        error = answer.error or _unexpected_exit(operation, answer.exit_code)
        if recorder is not None:
            recorder.ended(operation, failed=error is not None)
        _warn(report, answer, warned)
        if error is None:
            _tell(report, operation, Phase.DONE, operation.verb.done, answer.detail)
            skipped = execution.finished(operation.key)
        elif operation.shared and isinstance(error, Conflict):
            _tell(report, operation, Phase.WARNING, IN_USE)
            skipped = execution.finished(operation.key)
        else:
            phase = Phase.WARNING if operation.optional else Phase.FAILED
            report(Progress(operation.resource, phase, "Error", error.what))
            skipped = execution.failed(operation.key, error)
        for victim in skipped:
            culprit = execution.cause_of_skip(victim.key)
            _tell(report, victim, Phase.SKIPPED, "Skipped", f"{culprit} failed")


def _warn(report: Report, answer: Answer, warned: set[str]) -> None:
    for text in answer.warnings:
        if text not in warned:
            warned.add(text)
            report(Progress("", Phase.WARNING, text))


def _tell(
    report: Report, operation: Operation[R], phase: Phase, text: str, detail: str = ""
) -> None:
    if not operation.silent:
        report(Progress(operation.resource, phase, text, detail))


def _unexpected_exit(operation: Operation[R], exit_code: int | None) -> OrchestraError | None:
    if operation.verb is not Verb.AWAIT_EXIT or not operation.must_succeed or not exit_code:
        return None
    if operation.cause:  # a command that belongs to another container's start
        name = operation.resource.removeprefix("Container ")
        return DependencyFailed(
            f"{operation.cause} exited with status {exit_code}",
            fix=f"`orchestra logs {name}` shows what it wrote; the service was not started",
        )
    return DependencyFailed(
        f"{operation.resource} did not complete successfully: exit status {exit_code}",
        fix="read its logs to see why; what depends on it has not been started",
    )
