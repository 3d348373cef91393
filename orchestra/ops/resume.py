"""`resume`: after a reboot, start what should run; before one, stop it gracefully."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound, OrchestraError
from orchestra.ops.container_find import spec_fields
from orchestra.ops.dispatch import dispatch
from orchestra.plan.resume import Policy, is_due, plan_resume, plan_shutdown
from orchestra.runtime.statefile import projects, read_states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan
    from orchestra.plan.lifecycle import Frame


def resume(host: Host, names: Iterable[str], report: Report, *, dry_run: bool = False) -> None:
    """Start what is due of the projects *names*; none: of all.

    A project that fails does not keep the next one from being resumed. Raises NotFound for an
    unknown project, then the first failure.
    """

    def plan(name: str) -> Plan[Frame]:
        states = read_states(host.layout, name)
        return plan_resume([s for s in states if is_due(s, _policy(host.layout, s))])

    _for_each(host, names, plan, report, dry_run=dry_run)


def shut_down(host: Host, names: Iterable[str], report: Report, *, dry_run: bool = False) -> None:
    """Stop what runs of the projects *names*, none: of all; `resume` starts it again.

    Raises as `resume`.
    """

    def plan(name: str) -> Plan[Frame]:
        return plan_shutdown(read_states(host.layout, name))

    _for_each(host, names, plan, report, dry_run=dry_run)


def _for_each(
    host: Host,
    names: Iterable[str],
    plan: Callable[[str], Plan[Frame]],
    report: Report,
    *,
    dry_run: bool,
) -> None:
    failures: list[OrchestraError] = []
    for name in _chosen(host.layout, tuple(names)):
        if not plan(name).operations:
            continue
        try:
            dispatch(
                host,
                name,
                command="resume",
                plan=lambda name=name: plan(name),  # type: ignore[misc]
                report=report,
                dry_run=dry_run,
            )
        except OrchestraError as exc:
            failures.append(exc)
    if failures:
        raise failures[0]


def _chosen(layout: Layout, names: tuple[str, ...]) -> tuple[str, ...]:
    known = projects(layout)
    for name in names:
        if name not in known:
            raise NotFound(f'no such project: "{name}"', fix="see them with: orchestra ls -a")
    return names or known


def _policy(layout: Layout, container: ContainerState) -> Policy:
    """The restart policy in `spec.json`; none when the file cannot be read."""
    try:
        fields = spec_fields(layout, container).get("restart", {})
        return Policy(str(fields.get("mode", "no")), int(fields.get("max_attempts", 0)))
    except (NotFound, ValueError, AttributeError, TypeError):
        return Policy()
