"""`up`: bring a project, or some of its services, to what the compose file says."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.engine.base import ObservedProject, WaitExited, WaitHealthy
from orchestra.errors import ConfigError, RuntimeFailure
from orchestra.model.container import ContainerId
from orchestra.model.state import Health
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.ops.building import Building, build_before_up
from orchestra.ops.gather import gather
from orchestra.ops.lock import project_lock
from orchestra.ops.projectfile import may_have_resources, record_project
from orchestra.ops.provided import remembered
from orchestra.ops.pull import pull_missing
from orchestra.ops.rehearse import rehearse
from orchestra.ops.timeline import save_trace
from orchestra.plan.decide import Policy, Recreate, has_completed
from orchestra.plan.desired import Dependencies, select_services
from orchestra.plan.execute import execute
from orchestra.plan.graph import PlanBuilder
from orchestra.plan.observed import Observed
from orchestra.plan.operations import Verb
from orchestra.plan.reconcile import Environment, Options, container_resource, reconcile
from orchestra.plan.trace import Recorder
from orchestra.plan.unknown import unknown_service

if TYPE_CHECKING:
    from orchestra.engine.base import Engine, Request
    from orchestra.image.base import ImageStore
    from orchestra.model.project import Project
    from orchestra.model.service import PullPolicy
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host
    from orchestra.plan.desired import Desired
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan


SETTLING_S = 0.5
"""`--wait`: Docker Compose looks at what has no healthcheck for the first time after this."""


class UpOptions(NamedTuple):
    """What `up` and `create` were asked; no services: all of them."""

    services: tuple[str, ...] = ()
    dependencies: Dependencies = Dependencies.INCLUDED
    recreate: Recreate = Recreate.DIVERGED
    recreate_dependencies: Recreate = Recreate.DIVERGED
    renew_anonymous_volumes: bool = False
    start: bool = True
    remove_orphans: bool = False
    ignore_orphans: bool = False
    stop_grace_s: float | None = None
    scale: tuple[tuple[str, int], ...] = ()
    wait: bool = False  # until all are healthy
    wait_timeout_s: float | None = None
    pull: PullPolicy | None = None  # --pull; None: each service's own
    quiet_pull: bool = False
    building: Building = Building.MISSING
    recorder: Recorder | None = None  # that has heard already what came before


def up(host: Host, project: Project, options: UpOptions, report: Report) -> None:
    """Create and start what is missing, recreate what has changed. Leaves the rest alone.

    Raises the first failure, after everything that does not depend on it has been brought up.
    """
    recorder = options.recorder or Recorder()
    desired = prepared_state(host, project, options, recorder.noting_images(report))
    command = "up" if options.start else "create"
    with project_lock(host.layout, project.name, command=command, report=report):
        record_project(host.layout, project)
        engine = host.open_engine(project.name)
        try:
            execute(_plan(desired, engine, options), engine, report, recorder=recorder)
            if options.wait and options.start:
                recorder.next_plan()
                await_healthy(engine, desired, report, options.wait_timeout_s, recorder)
        finally:
            if options.start:
                save_trace(host.layout, project.name, recorder.trace())
            engine.close()


def rehearse_up(host: Host, project: Project, options: UpOptions, report: Report) -> None:
    """Report what `up` would do now, and do nothing. Raises what `plan_up` raises."""
    from orchestra.ops.rehearse_pull import rehearse_pulls

    chosen = select_services(project, options.services, options.dependencies)
    images = rehearse_pulls(host, chosen, options.pull, report)
    rehearse(_plan_with(host, project, options, images), report)


def plan_up(host: Host, project: Project, options: UpOptions) -> Plan[Request]:
    """What `up` would do now; changes no container, network or volume."""
    return _plan_with(host, project, options, host.images())


def _plan_with(
    host: Host, project: Project, options: UpOptions, images: ImageStore
) -> Plan[Request]:
    desired = _desired_with(host, project, options, images)
    return plan_for(desired, observed_project(host, project.name), options)


def observed_project(host: Host, project: str) -> ObservedProject:
    """What exists of *project*; no supervisor is started to find that it is nothing."""
    if not may_have_resources(host.layout, project):
        return ObservedProject()
    engine = host.open_engine(project)
    try:
        return engine.observe()
    finally:
        engine.close()


def prepared_state(host: Host, project: Project, options: UpOptions, report: Report) -> Desired:
    """`desired_state`, after pulling and building images. Raises PullFailed, BuildError."""
    chosen = select_services(project, options.services, options.dependencies)
    pull_missing(host, chosen, options.pull, report, quiet=options.quiet_pull)
    build_before_up(host, chosen, options.building, report)
    if any(service.provider for service in chosen.services):
        from orchestra.ops.providers import bring_up

        record_project(host.layout, project)
        bring_up(host.layout, chosen, report)
    return desired_state(host, project, options)


def desired_state(host: Host, project: Project, options: UpOptions) -> Desired:
    """The services that `up` is about, scaled, with their images."""
    return _desired_with(host, project, options, host.images())


def _desired_with(host: Host, project: Project, options: UpOptions, images: ImageStore) -> Desired:
    scaled = remembered(host.layout, scale(project, options.scale))
    desired = gather(scaled, options.services, options.dependencies, images)
    for name, _replicas in options.scale:
        if name not in desired.project.service_names:
            raise ConfigError(
                f'"{name}" is to be scaled, and not among the services that are asked for',
                fix=f"name {name} too, or leave --scale {name}=… out",
            )
    return desired


def scale(project: Project, replicas: tuple[tuple[str, int], ...]) -> Project:
    """*project* with other numbers of replicas. Raises NotFound for unknown services."""
    if not replicas:
        return project
    wanted = dict(replicas)
    for name in wanted:
        if name not in project.service_names:
            raise unknown_service(name, project.service_names)
    return project.with_services(
        msgspec.structs.replace(service, replicas=wanted[service.name])
        if service.name in wanted
        else service
        for service in project.services
    )


def _plan(desired: Desired, engine: Engine, options: UpOptions) -> Plan[Request]:
    return plan_for(desired, engine.observe(), options)


def plan_for(desired: Desired, observed: ObservedProject, options: UpOptions) -> Plan[Request]:
    """The plan for *desired*, given what exists."""
    policy = Policy(frozenset(options.services), options.recreate, options.recreate_dependencies)
    return reconcile(
        desired,
        Observed(observed),
        Options(
            policy=policy,
            start=options.start,
            renew_anonymous_volumes=options.renew_anonymous_volumes,
            remove_orphans=options.remove_orphans,
            ignore_orphans=options.ignore_orphans,
            stop_grace_s=options.stop_grace_s,
        ),
        Environment(new_id=new_id, version=__version__),
    )


def new_id() -> str:
    """64 random hexadecimal digits: the name of a container or of an anonymous volume."""
    return os.urandom(32).hex()


def await_healthy(
    engine: Engine,
    desired: Desired,
    report: Report,
    timeout_s: float | None,
    recorder: Recorder | None = None,
) -> None:
    """Wait until every container of *desired* is healthy, or running without a check.

    A container that has ended with status 0 counts as well. Raises RuntimeFailure for others,
    and TimedOut.
    """
    builder: PlanBuilder[Request] = PlanBuilder()
    names = set(desired.project.service_names)
    awaited = [
        container
        for container in engine.observe().containers
        if container.service in names and not container.oneoff and not has_completed(container)
    ]
    for container in awaited:
        builder.add(
            Verb.AWAIT_HEALTHY,
            container_resource(container.name),
            request=WaitHealthy(id=ContainerId(container.id), or_completed=True),
        )
    execute(builder.build(), engine, report, timeout_s=timeout_s, recorder=recorder)
    _see_that_they_stay(engine, [c for c in awaited if c.health == Health.NONE])


def _see_that_they_stay(engine: Engine, containers: list[ContainerState]) -> None:
    """What has no healthcheck must have run for SETTLING_S. Raises RuntimeFailure.

    So a command that fails at once is noticed, and one that has been running costs no time.
    """
    if not containers:
        return
    youngest_ns = max(container.started_ns for container in containers)
    deadline_s = time.monotonic() + SETTLING_S - max(0, time.time_ns() - youngest_ns) / 1e9
    waiting = {engine.submit(WaitExited(id=ContainerId(c.id))): c for c in containers}
    while (left_s := deadline_s - time.monotonic()) > 0:
        answer = engine.next_completion(left_s)
        if answer is not None and answer.ticket in waiting and answer.exit_code:
            container = waiting[answer.ticket]
            raise RuntimeFailure(
                f"container {container.name} exited ({answer.exit_code})",
                fix=f"`orchestra logs {container.service}` shows what it wrote",
            )
