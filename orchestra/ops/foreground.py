"""`up` in the foreground: logs from the start, ends told, all stopped at Ctrl-C.

The first Ctrl-C stops gracefully (SIGTERM, grace period, SIGKILL), the second one kills. Ends when
all containers that are attached to have ended.
"""

from __future__ import annotations

import os
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from orchestra.errors import Interrupted
from orchestra.model.state import ALIVE, Status
from orchestra.named import NamedTuple
from orchestra.ops.beside import Alone, Wish
from orchestra.ops.dispatch import open_client
from orchestra.ops.hooklines import HookLines
from orchestra.ops.interrupts import Interrupts
from orchestra.ops.lock import project_lock
from orchestra.ops.logs import Follower
from orchestra.ops.projectfile import record_project
from orchestra.ops.target import Target, find_containers
from orchestra.ops.timeline import save_trace
from orchestra.ops.up import plan_for, prepared_state
from orchestra.plan.events import Phase, Progress
from orchestra.plan.execute import execute
from orchestra.plan.lifecycle import plan_each, plan_stop
from orchestra.plan.operations import Verb
from orchestra.plan.trace import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.model.project import Project
    from orchestra.model.service import Service
    from orchestra.model.state import ContainerState
    from orchestra.ops.beside import Beside
    from orchestra.ops.host import Host
    from orchestra.ops.logs import LogEvent
    from orchestra.ops.up import UpOptions
    from orchestra.plan.desired import Desired
    from orchestra.plan.events import Report
    from orchestra.plan.graph import Plan
    from orchestra.plan.lifecycle import Frame

_LOOK_AGAIN_S = 5.0


class OnExit(Enum):
    """What the end of one container means for the others."""

    IGNORE = "ignore"
    STOP_ALL = "stop all"  # --abort-on-container-exit
    STOP_ALL_ON_FAILURE = "stop all on failure"  # --abort-on-container-failure


class Attach(NamedTuple):
    """*only* and *without* are services; *exit_code_from* implies STOP_ALL."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    dependencies: bool = False  # attach to those of named services as well
    on_exit: OnExit = OnExit.IGNORE
    exit_code_from: str = ""


class Audience(NamedTuple):
    """Who watches: what is done, what containers write, and once, before both, which ones.

    The last are labels such as "web-1", of containers that there are or will be.
    """

    report: Report
    show: Callable[[LogEvent], None]
    attaching: Callable[[tuple[str, ...]], None]
    beside: Beside = Alone()


def up_attached(
    host: Host, project: Project, options: UpOptions, attach: Attach, audience: Audience
) -> int:
    """Bring the project up and show its logs until it ends; the exit code of `up`.

    130 after Ctrl-C, 0 when the user detaches; with `on_exit` that of the first container which
    ended (or failed), with `exit_code_from` that of this service. Raises what `up` raises.
    """
    recorder = Recorder()
    desired = prepared_state(host, project, options, recorder.noting_images(audience.report))
    os.makedirs(host.layout.containers(project.name), mode=0o700, exist_ok=True)
    with Interrupts() as interrupts:
        session = _Session(host, desired, options, attach, interrupts, audience, recorder)
        try:
            return session.run()
        finally:
            session.close()


class _Session:
    """One run of `up` in the foreground."""

    def __init__(  # noqa: PLR0913 (called once)
        self,
        host: Host,
        desired: Desired,
        options: UpOptions,
        attach: Attach,
        interrupts: Interrupts,
        audience: Audience,
        recorder: Recorder,
    ) -> None:
        self._host = host
        self._desired = desired
        self._options = options
        self._attach = attach
        self._interrupts = interrupts
        self._audience = audience
        self._beside = audience.beside
        self._recorder = recorder
        self._is_left = False  # detached
        self._name = desired.project.name
        services = attached_services(desired, options, attach)
        self._labels = attached_labels(desired, services)
        self._has_begun = False
        self._follower = Follower(
            host.layout, self._name, lambda c: (not c.oneoff or c.is_hook) and c.service in services
        )
        self._services = services
        self._hooks: HookLines | None = None
        self._first_end: ContainerState | None = None

    def run(self) -> int:
        try:
            self._bring_up()
            self._watch()
        except Interrupted:
            if not self._interrupts.count:
                raise
        interrupted = self._interrupts.count > 0
        self._beside.end()
        if self._is_left and not interrupted:
            return 0
        if interrupted or self._aborts():
            self._stop()
        if interrupted:
            return Interrupted.exit_code
        return self._exit_code()

    def close(self) -> None:
        self._beside.end()
        self._follower.close()
        if self._hooks is not None:
            self._hooks.close()

    # -- phases -------------------------------------------------------------------------------
    def _bring_up(self) -> None:
        with project_lock(self._host.layout, self._name, command="up", report=self._report):
            record_project(self._host.layout, self._desired.project)
            engine = self._host.open_engine(self._name)
            self._hooks = HookLines(self._host.layout, self._name)
            try:
                plan = plan_for(self._desired, engine.observe(), self._options)
                existing = find_containers(self._host.layout, Target(self._name))
                self._show(self._follower.begin_at_end(existing))
                pause = partial(self._pause, engine)
                execute(plan, engine, self._report, pause=pause, recorder=self._recorder)
            finally:
                save_trace(self._host.layout, self._name, self._recorder.trace())
                engine.close()
        self._begin()
        self._show_hooks()
        self._show(self._follower.look())
        self._beside.running()

    def _watch(self) -> None:
        """Show what happens until all have ended, one has that matters, or Ctrl-C."""
        while self._goes_on() and not self._aborts():
            self._pause()
            if self._interrupts.count or self._is_left:
                return

    def _goes_on(self) -> bool:
        return self._follower.has_running() or self._beside.is_busy()

    def _stop(self) -> None:
        """Stop gracefully; kill at the next Ctrl-C."""
        signals = self._interrupts.count
        text = "Gracefully stopping... (press Ctrl+C again to force)"
        if not signals:
            text = "Aborting on container exit..."
        self._report(Progress("", Phase.WARNING, text))
        target = Target(self._name, self._options.services)
        every = find_containers(self._host.layout, target, oneoffs=True)
        containers = [each for each in every if not each.oneoff or each.is_hook]
        try:
            stop = plan_stop(containers, self._options.stop_grace_s)
            self._execute(stop, patience=signals)
        except Interrupted:
            left = [c for c in find_containers(self._host.layout, target) if c.status in ALIVE]
            kill = plan_each(left, Verb.KILL, {"type": "KillContainer", "signal": "SIGKILL"})
            self._execute(kill, patience=signals + 100)
        self._show_hooks()
        self._show(self._follower.look())

    def _execute(self, plan: Plan[Frame], *, patience: int) -> None:
        """Carry *plan* out; Interrupted when more than *patience* signals have come."""
        client = open_client(self._host, self._name)
        try:
            pause = partial(self._pause, client, patience=patience)
            execute(plan, client, self._report, pause=pause)
        finally:
            client.close()

    # -- waiting ------------------------------------------------------------------------------
    def _pause(self, engine: object = None, *, patience: int = 0) -> None:
        """Wait for the logs, the engine or a signal, and show what is new."""
        fileno = getattr(engine, "fileno", None)
        descriptors = [self._follower.fileno()]
        if self._hooks is not None:
            descriptors += self._hooks.filenos()
        if fileno is not None:
            descriptors.append(fileno())
        descriptors += self._beside.rest()
        ready = self._interrupts.wait(*descriptors, timeout_s=_LOOK_AGAIN_S)
        self._show_hooks()
        if self._follower.fileno() in ready:
            self._show(self._follower.wait(0.0))
        elif not ready:
            self._show(self._follower.look())
        self._obey(self._beside.step(ready))
        if engine is not None and self._interrupts.count > patience:
            raise Interrupted("interrupted")

    def _obey(self, wish: Wish) -> None:
        if wish is Wish.STOP:
            self._interrupts.count += 1
        elif wish is Wish.DETACH:
            self._is_left = True

    def _show_hooks(self) -> None:
        if self._hooks is not None:
            lines = self._hooks.look()
            self._show(each for each in lines if each.container.service in self._services)

    def _report(self, progress: Progress) -> None:
        if progress.text == Verb.START.doing:
            self._begin()
        elif progress.text == Verb.AWAIT_EXIT.done:  # a pre_start container is removed now
            self._show(self._follower.look())
        self._audience.report(progress)

    def _begin(self) -> None:
        """Say once which containers are attached to."""
        if not self._has_begun:
            self._has_begun = True
            self._audience.attaching(self._labels)
            self._beside.attached()

    def _show(self, events: Iterator[LogEvent]) -> None:
        for event in events:
            self._begin()
            if event.line is None and event.container.is_hook:
                continue
            is_end = event.line is None and not self._beside.is_busy()
            if is_end and self._matters(event.container):
                self._first_end = self._first_end or event.container
            self._audience.show(event)

    # -- decisions ----------------------------------------------------------------------------
    def _matters(self, container: ContainerState) -> bool:
        """Does the end of *container* end the whole?"""
        if container.status in ALIVE:  # restarted
            return False
        on_exit = self._attach.on_exit
        if self._attach.exit_code_from and on_exit is OnExit.IGNORE:
            return True
        return on_exit is OnExit.STOP_ALL or (
            on_exit is OnExit.STOP_ALL_ON_FAILURE and container.exit_code != 0
        )

    def _aborts(self) -> bool:
        return self._first_end is not None

    def _exit_code(self) -> int:
        service = self._attach.exit_code_from
        if service:
            for container in find_containers(self._host.layout, Target(self._name)):
                if container.service == service and container.status == Status.EXITED:
                    return container.exit_code
        return self._first_end.exit_code if self._first_end is not None else 0


def attached_labels(desired: Desired, services: frozenset[str]) -> tuple[str, ...]:
    """As "web-1", for each container that *services* will have; sorted."""
    separator = desired.project.separator
    labels = [
        label
        for service in desired.project.services
        if service.name in services
        for label in _labels(service, separator)
    ]
    return tuple(sorted(labels))


def _labels(service: Service, separator: str) -> Iterator[str]:
    if service.container_name:
        yield service.container_name
        return
    for number in range(1, service.replicas + 1):
        yield f"{service.name}{separator}{number}"


def attached_services(desired: Desired, options: UpOptions, attach: Attach) -> frozenset[str]:
    """The services whose logs are shown and whose ends count."""
    services = {service.name for service in desired.project.services if service.attach}
    if attach.only:
        services = set(attach.only)
    elif options.services and not attach.dependencies:
        services &= set(options.services)
    return frozenset(services - set(attach.without))
