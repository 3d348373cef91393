"""`down`: stop and remove what `up` made; needs no compose file."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple
from orchestra.ops.lock import project_lock
from orchestra.ops.projectfile import may_have_resources
from orchestra.ops.rehearse import rehearse
from orchestra.ops.target import check_services
from orchestra.plan.down import DownScope, plan_down
from orchestra.plan.events import Phase, Progress
from orchestra.plan.execute import execute
from orchestra.plan.observed import Observed

if TYPE_CHECKING:
    from orchestra.engine.base import Engine, Request
    from orchestra.layout import Layout
    from orchestra.ops.host import Host
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan


class DownOptions(NamedTuple):
    """*stop_grace_s* None: as each container says."""

    volumes: bool = False
    remove_orphans: bool = False
    stop_grace_s: float | None = None


def down(host: Host, target: Target, options: DownOptions, report: Report) -> None:
    """Remove containers and networks, with `volumes` also the volumes, of *target*.

    Raises NotFound for unknown services, and the first failure after all the rest is done.
    """
    if not _may_find_something(host, target, options):
        report(_nothing(target))
        return
    with project_lock(host.layout, target.project, command="down", report=report):
        engine = host.open_engine(target.project)
        try:
            plan = _plan(engine, target, options)
            execute(plan, engine, report)
            provided = take_down_provided(host.layout, target, report)
            if not plan.operations and not provided:
                report(_nothing(target))
            empty = not engine.observe().containers
        finally:
            engine.close()
        if empty:
            _forget(host.layout, target.project)


def take_down_provided(layout: Layout, target: Target, report: Report) -> bool:
    """What external programs have made for services of *target* goes too; was there any?"""
    if not os.path.exists(layout.providers_json(target.project)):
        return False
    from orchestra.ops.providers import take_down

    return take_down(layout, target.project, target.services, report)


def rehearse_down(host: Host, target: Target, options: DownOptions, report: Report) -> None:
    """Report what `down` would do now, and do nothing. Raises NotFound for unknown services."""
    if not _may_find_something(host, target, options):
        report(_nothing(target))
        return
    engine = host.open_engine(target.project)
    try:
        plan = _plan(engine, target, options)
    finally:
        engine.close()
    rehearse(plan, report)
    if not plan.operations:
        report(_nothing(target))


def _may_find_something(host: Host, target: Target, options: DownOptions) -> bool:
    return options.volumes or may_have_resources(host.layout, target.project)


def _nothing(target: Target) -> Progress:
    text = f'Warning: No resource found to remove for project "{target.project}".'
    return Progress("", Phase.WARNING, text)


def _plan(engine: Engine, target: Target, options: DownOptions) -> Plan[Request]:
    observed = engine.observe()
    check_services(target, observed.containers)
    scope = DownScope(
        services=frozenset(target.services),
        declared=None if target.declared is None else frozenset(target.declared),
        remove_orphans=options.remove_orphans,
        volumes=options.volumes,
        stop_grace_s=options.stop_grace_s,
    )
    return plan_down(Observed(observed), scope)


def _forget(layout: Layout, project: str) -> None:
    """Remove the record of a project without containers; the engine removes its own files."""
    with contextlib.suppress(OSError):
        os.unlink(layout.timeline(project))
    with contextlib.suppress(OSError):
        os.unlink(layout.project_json(project))
