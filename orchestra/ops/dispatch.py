"""Carries a plan of plain frames out through the project's supervisor. Cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import EngineUnavailable
from orchestra.ops.lock import project_lock
from orchestra.plan.execute import execute
from orchestra.supervisor.light import LightClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.ops.host import Host
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan
    from orchestra.plan.lifecycle import Frame


def dispatch(
    host: Host,
    project: str,
    *,
    command: str,
    plan: Callable[[], Plan[Frame]],
    report: Report,
    dry_run: bool = False,
) -> Plan[Frame]:
    """Make and execute a plan under the project's lock; *plan* reads the state files then.

    In a dry run it is only gone through. Raises the first failure of the plan, and
    EngineUnavailable.
    """
    if dry_run:
        from orchestra.ops.rehearse import rehearse

        made = plan()
        rehearse(made, report)
        return made
    with project_lock(host.layout, project, command=command, report=report):
        made = plan()
        carry_out(host, project, made, report)
        return made


def carry_out(
    host: Host,
    project: str,
    plan: Plan[Frame],
    report: Report,
    *,
    timeout_s: float | None = None,
) -> None:
    """Execute *plan*, without the lock; an empty one asks nobody. Raises as `dispatch`."""
    if not plan.operations:
        return
    client = open_client(host, project)
    try:
        execute(plan, client, report, timeout_s=timeout_s)
    finally:
        client.close()


def open_client(host: Host, project: str) -> LightClient:
    """A client of the project's supervisor, which is started when it is not alive.

    Raises EngineUnavailable.
    """
    path = host.layout.socket(project)
    client = LightClient.connect(path)
    if client is None:
        engine = host.open_engine(project)  # kept until the other is there: an idle one ends
        client = LightClient.connect(path)
        engine.close()
    if client is None:
        raise EngineUnavailable(
            f'the supervisor of "{project}" does not answer', fix="look into its supervisor.log"
        )
    return client
