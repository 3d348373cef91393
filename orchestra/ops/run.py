"""`run`: one command in a container of its own, which is that container's first process.

In the foreground the caller's terminal or pipes are in front of it (`attend`).
"""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.engine.base import RemoveContainer, StopContainer, call
from orchestra.errors import EngineUnavailable
from orchestra.linux.tty import WindowSize, window_size
from orchestra.model.container import LogConfig
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.ops.attend import STDOUT, Outcome, Subject, attend, pause_of
from orchestra.ops.building import Building, build_before_up
from orchestra.ops.gather import gather
from orchestra.ops.lock import project_lock
from orchestra.ops.projectfile import record_project
from orchestra.ops.provided import remembered
from orchestra.ops.pull import pull_missing
from orchestra.ops.up import UpOptions, new_id, plan_for
from orchestra.plan.desired import Dependencies, select_services
from orchestra.plan.execute import execute
from orchestra.plan.observed import Observed
from orchestra.plan.oneoff import Override, oneoff_spec, overridden, plan_oneoff, with_volumes
from orchestra.plan.reconcile import Environment
from orchestra.runtime.detachkeys import key_bytes
from orchestra.runtime.signalpipe import SignalPipe

if TYPE_CHECKING:
    from types import TracebackType

    from orchestra.model.container import ContainerSpec
    from orchestra.model.project import Project
    from orchestra.model.service import PullPolicy
    from orchestra.ops.host import Host
    from orchestra.plan.desired import Desired
    from orchestra.plan.events import Report

_READING_S = 10.0
"""--rm: how long the log is kept for us after the end, if we do not remove the container before."""


class RunOptions(NamedTuple):
    """*override* says what differs from the service."""

    service: str
    override: Override = Override()
    dependencies: Dependencies = Dependencies.INCLUDED
    detach: bool = False
    remove: bool = False  # --rm
    interactive: bool = True
    pull: PullPolicy | None = None  # --pull; None: each service's own
    quiet_pull: bool = False
    building: Building = Building.MISSING


class OneOff:
    """`start`, then `attend`. To leave it ends the container, unless it is to go on without us."""

    def __init__(self, host: Host, project: Project, options: RunOptions) -> None:
        self._host = host
        self._project = project
        self._options = options
        self._undo = ExitStack()
        self._signals = SignalPipe()
        self._spec: ContainerSpec | None = None
        self._goes_on = False

    def __enter__(self) -> OneOff:
        self._engine = self._host.open_engine(self._project.name)
        self._undo.callback(self._engine.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._undo:
            if self._spec is not None and not self._goes_on:
                self._end(self._spec)

    def start(self, report: Report) -> str:
        """Start the dependencies, then the command; the container's id.

        Raises NotFound for an unknown service, Interrupted, and what `up` raises.
        """
        options = self._options
        chosen = select_services(self._project, (options.service,), options.dependencies)
        pull_missing(self._host, chosen, options.pull, report, quiet=options.quiet_pull)
        build_before_up(self._host, chosen, options.building, report)
        if any(service.provider for service in chosen.services):
            from orchestra.ops.providers import bring_up

            bring_up(self._host.layout, chosen, report)
        desired = gather(
            remembered(self._host.layout, self._project),
            (options.service,),
            options.dependencies,
            self._host.images(),
        )
        desired = with_volumes(desired, options.override.volumes)
        service = overridden(desired.project.service(options.service), options.override)
        layout, name = self._host.layout, self._project.name
        with project_lock(layout, name, command="run", report=report):
            record_project(layout, self._project)
            if options.dependencies is Dependencies.INCLUDED:
                self._start_dependencies(desired, report)
            observed = Observed(self._engine.observe())
            spec = oneoff_spec(
                desired,
                service,
                observed,
                Environment(new_id, __version__),
                use_aliases=options.override.use_aliases,
            )
            spec = in_background(spec, options) if options.detach else in_front(spec, options)
            plan = plan_oneoff(desired, service, spec, observed, __version__)
            self._undo.enter_context(self._signals)
            self._spec = spec
            execute(plan, self._engine, report, pause=pause_of(self._engine, self._signals))
        self._goes_on = options.detach
        return spec.id

    def attend(self) -> Outcome:
        """In front of what was started, to its end. Raises what `attend.attend` raises."""
        spec = self._spec
        if spec is None:
            raise RuntimeError("nothing has been started")
        subject = Subject(
            spec.project,
            spec.id,
            tty=spec.process.tty,
            stdin=spec.process.stdin_open,
            detach_keys=key_bytes(""),
            is_new=True,
        )
        outcome = attend(self._host.layout, self._engine, subject, self._signals)
        self._goes_on = outcome.detached
        return outcome

    def _start_dependencies(self, desired: Desired, report: Report) -> None:
        others = [s for s in desired.project.services if s.name != self._options.service]
        if others:
            wanted = desired._replace(project=desired.project.with_services(others))
            execute(plan_for(wanted, self._engine.observe(), UpOptions()), self._engine, report)

    def _end(self, spec: ContainerSpec) -> None:
        """It has ended already, unless it was our output or the start that did not last."""
        with contextlib.suppress(EngineUnavailable):
            if self._options.remove:
                call(self._engine, RemoveContainer(id=spec.id, force=True, volumes=True))
            else:
                call(self._engine, StopContainer(id=spec.id, grace_s=0.0))


def in_background(spec: ContainerSpec, options: RunOptions) -> ContainerSpec:
    """*spec* of a container that nobody attends."""
    return msgspec.structs.replace(spec, remove_after_s=0.0 if options.remove else None)


def in_front(spec: ContainerSpec, options: RunOptions) -> ContainerSpec:
    """*spec* of a container with us in front, who read its log: so it has one, all of it."""
    size = (window_size(STDOUT) if spec.process.tty else None) or WindowSize(0, 0)
    process = msgspec.structs.replace(
        spec.process,
        stdin_open=options.interactive,
        stdin_once=options.interactive and not spec.process.tty,
        tty_rows=size.rows,
        tty_columns=size.columns,
    )
    return msgspec.structs.replace(
        spec,
        process=process,
        log=LogConfig(),
        remove_after_s=_READING_S if options.remove else None,
    )
