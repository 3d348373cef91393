"""`run`: one command in a container of its own.

In the foreground the container holds still and the command is executed in it, as `exec` does: so
it has the caller's terminal or pipes with their ends, its signals and its exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra import __version__
from orchestra.engine.base import RemoveContainer, StopContainer, call
from orchestra.errors import NotFound
from orchestra.ops.exec import ExecOptions, exec_in_container
from orchestra.ops.gather import gather
from orchestra.ops.lock import project_lock
from orchestra.ops.projectfile import record_project
from orchestra.ops.up import UpOptions, new_id, plan_for
from orchestra.plan.desired import Dependencies
from orchestra.plan.execute import execute
from orchestra.plan.observed import Observed
from orchestra.plan.oneoff import Override, oneoff_spec, overridden, plan_oneoff
from orchestra.plan.reconcile import Environment

if TYPE_CHECKING:
    from orchestra.engine.base import Engine
    from orchestra.model.container import ContainerSpec
    from orchestra.model.project import Project
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.plan.desired import Desired
    from orchestra.plan.events import Report


class RunOptions(NamedTuple):
    """*override* says what differs from the service."""

    service: str
    override: Override = Override()
    dependencies: Dependencies = Dependencies.INCLUDED
    detach: bool = False
    remove: bool = False  # --rm
    interactive: bool = True


class RunResult(NamedTuple):
    """*exit_code* is 0 when detached."""

    container: str
    exit_code: int


def run(host: Host, project: Project, options: RunOptions, report: Report) -> RunResult:
    """Start the dependencies, then the command; wait for its end unless detached.

    Raises NotFound for an unknown service and what `up` raises for its dependencies.
    """
    desired = gather(project, (options.service,), options.dependencies, host.images())
    service = overridden(desired.project.service(options.service), options.override)
    engine = host.open_engine(project.name)
    try:
        with project_lock(host.layout, project.name, command="run", report=report):
            record_project(host.layout, project)
            if options.dependencies is Dependencies.INCLUDED:
                _start_dependencies(engine, desired, options.service, report)
            observed = Observed(engine.observe())
            spec = oneoff_spec(
                desired,
                service,
                observed,
                Environment(new_id, __version__),
                use_aliases=options.override.use_aliases,
            )
            if not options.detach:
                process = msgspec.structs.replace(spec.process, hold=True, tty=False)
                spec = msgspec.structs.replace(spec, process=process, healthcheck=None)
            execute(plan_oneoff(desired, service, spec, observed, __version__), engine, report)
        if options.detach:
            return RunResult(spec.name, 0)
        return RunResult(spec.name, _attend(host, engine, spec, options))
    finally:
        engine.close()


def _start_dependencies(engine: Engine, desired: Desired, service: str, report: Report) -> None:
    others = [s for s in desired.project.services if s.name != service]
    if others:
        wanted = desired._replace(project=desired.project.with_services(others))
        execute(plan_for(wanted, engine.observe(), UpOptions()), engine, report)


def _attend(host: Host, engine: Engine, spec: ContainerSpec, options: RunOptions) -> int:
    """Run the command in the container that holds still, then end it."""
    command = ExecOptions(
        argv=spec.process.argv, tty=options.override.tty, interactive=options.interactive
    )
    try:
        return exec_in_container(host.layout, _state(engine, spec), command)
    finally:
        if options.remove:
            call(engine, RemoveContainer(id=spec.id, force=True, volumes=True))
        else:
            call(engine, StopContainer(id=spec.id, grace_s=0.0))


def _state(engine: Engine, spec: ContainerSpec) -> ContainerState:
    for container in engine.observe().containers:
        if container.id == spec.id:
            return container
    raise NotFound(f"container {spec.name} has been removed")
