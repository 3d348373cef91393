"""`kill`: send a signal to the running containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.state import ALIVE
from orchestra.ops.dispatch import dispatch
from orchestra.ops.target import Target, find_containers, is_orphan
from orchestra.plan.events import Phase, Progress
from orchestra.plan.lifecycle import plan_each
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan
    from orchestra.plan.lifecycle import Frame


def kill(
    host: Host,
    target: Target,
    report: Report,
    *,
    signal: str = "SIGKILL",
    remove_orphans: bool = False,
    dry_run: bool = False,
) -> None:
    """Send *signal* (a name or a number) to what runs, one-off containers included.

    Nothing to kill is a warning, no error.

    With *remove_orphans* containers of services that are not declared are killed as well.
    Raises NotFound for unknown services.
    """

    def plan() -> Plan[Frame]:
        chosen = find_containers(host.layout, target, oneoffs=True, orphans=False)
        if remove_orphans:
            everything = find_containers(host.layout, Target(target.project), oneoffs=True)
            chosen += tuple(state for state in everything if is_orphan(state, target))
        running = tuple(state for state in chosen if state.status in ALIVE)
        return plan_each(running, Verb.KILL, {"type": "KillContainer", "signal": signal.upper()})

    made = dispatch(host, target.project, command="kill", plan=plan, report=report, dry_run=dry_run)
    if not made.operations:
        report(Progress("", Phase.WARNING, "no container to kill"))
