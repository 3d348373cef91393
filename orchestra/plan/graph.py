"""Plan: operations in an order in which they could run one by one, and its text form.

`orchestra … --dry-run` prints the text; the tests compare it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from orchestra.named import NamedTuple
from orchestra.plan.operations import Operation, Verb

if TYPE_CHECKING:
    from collections.abc import Iterable

R = TypeVar("R")


class Plan(NamedTuple, Generic[R]):
    """What will be done; *kept* names what is as it should be, *warnings* are for the user."""

    operations: tuple[Operation[R], ...] = ()
    kept: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def text(self) -> str:
        """One line each: `3. create Container demo-web-1 (no container yet) after 1, 2`."""
        return "".join(f"{_line(operation)}\n" for operation in self.operations)


def _line(operation: Operation[R]) -> str:
    line = f"{operation.key}. {operation.verb.label} {operation.resource}"
    if operation.cause:
        line += f" ({operation.cause})"
    if operation.needs:
        line += f" after {', '.join(map(str, operation.needs))}"
    if operation.wants:
        line += f" wants {', '.join(map(str, operation.wants))}"
    return line


class PlanBuilder(Generic[R]):
    """Collects operations; what an operation needs must have been added before it."""

    def __init__(self) -> None:
        self._operations: list[Operation[R]] = []
        self.kept: list[str] = []
        self.warnings: list[str] = []

    def add(  # noqa: PLR0913 (the fields of an Operation, all keyword-only but two)
        self,
        verb: Verb,
        resource: str,
        *,
        request: R,
        cause: str = "",
        needs: Iterable[int] = (),
        wants: Iterable[int] = (),
        must_succeed: bool = False,
        silent: bool = False,
        shared: bool = False,
    ) -> int:
        """Append an operation; its key is the result."""
        key = len(self._operations) + 1
        needed = frozenset(needs)
        self._operations.append(
            Operation(
                key=key,
                verb=verb,
                resource=resource,
                request=request,
                cause=cause,
                needs=tuple(sorted(needed)),
                wants=tuple(sorted(frozenset(wants) - needed)),
                must_succeed=must_succeed,
                silent=silent,
                shared=shared,
            )
        )
        return key

    def build(self) -> Plan[R]:
        """The finished plan. What is wanted by some and needed by none becomes optional."""
        needed = {key for operation in self._operations for key in operation.needs}
        wanted = {key for operation in self._operations for key in operation.wants} - needed
        waits = (Verb.AWAIT_HEALTHY, Verb.AWAIT_EXIT)
        return Plan(
            tuple(
                operation._replace(optional=True)
                if operation.key in wanted and operation.verb in waits
                else operation
                for operation in self._operations
            ),
            tuple(self.kept),
            tuple(self.warnings),
        )
