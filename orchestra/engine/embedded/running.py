"""From a start to the exit, and to the next start that the restart policy asks for."""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from orchestra.engine.embedded import hooks, probing, waiting
from orchestra.engine.embedded.assembly import assemble, with_named_devices
from orchestra.engine.embedded.pump import LogPump, make_fifos
from orchestra.engine.embedded.restart import Exit, decide
from orchestra.errors import LaunchFailed, OrchestraError, RuntimeFailure
from orchestra.linux.procfs import boot_id
from orchestra.model.state import Health, Status
from orchestra.runtime.statefile import EXIT_CODE_LOST, exit_code

if TYPE_CHECKING:
    from orchestra.engine.embedded.core import Container, Core, Launching, Reply
    from orchestra.model.container import ContainerSpec
    from orchestra.runtime.base import Launch, Launched

_LOG = logging.getLogger(__name__)
_OF_THE_COMMAND = (126, 127)  # exit codes: it cannot be executed, or is not there


def start(core: Core, container: Container, reply: Reply | None = None) -> None:
    """Begin to launch; *reply* is given when its command runs, or could not be run."""
    if reply is not None:
        container.start_replies.append(reply)
    if container.is_running:
        if container.hooks is None and not _begin_hooks(core, container):
            _answer_start(container)
        return
    if container.launching is not None:
        return
    cancel_restart(container)
    try:
        with ExitStack() as undo:
            plan = _prepare(core, container, undo)
            container.launch_undo = undo.pop_all()
    except (OrchestraError, OSError) as exc:
        _start_failed(core, container, as_error(exc, "prepare the container"))
        return
    _launch(core, container, plan)


def _prepare(core: Core, container: Container, undo: ExitStack) -> Launch:
    """Everything a launch needs beforehand, with its undoing in *undo*."""
    spec, device_hooks = with_named_devices(core, container.spec)
    run_dir = core.layout.container_run(core.project, container.id)
    os.makedirs(run_dir, mode=0o700, exist_ok=True)
    stdin = -1
    if spec.log.driver != "none" or spec.process.tty:
        container.pump = LogPump(
            core.layout.log_dir(core.project, container.id), spec.log, core.loop
        )
        undo.callback(_close_pump, container)
        if not spec.process.tty:
            make_fifos(run_dir)
            container.pump.open_fifos(run_dir)
    if spec.process.stdin_open and not spec.process.tty:
        # no FIFO: who opens one by /dev/stdin waits for a writer when there is none any more
        stdin, container.stdin = os.pipe2(os.O_CLOEXEC)
        undo.callback(os.close, stdin)
        undo.callback(close_stdin, container)
    core.bury()  # an earlier run's cgroup has the same name
    container.scope = core.drivers.cgroups.create(
        core.cgroup_name(container),
        spec.resources,
        spec.devices,
        privileged=spec.security.privileged,
    )
    undo.callback(core.destroy_scope, container)
    return assemble(core, container, spec, container.scope, stdin)._replace(hooks=device_hooks)


def _launch(core: Core, container: Container, plan: Launch) -> None:
    try:
        launching = core.drivers.begin_launch(plan)
    except (OrchestraError, OSError) as exc:
        container.launch_undo.close()
        _start_failed(core, container, as_error(exc, "fork"))
        return
    container.launching = launching
    container.finish_launch = partial(_finish_launch, core, container, launching, plan)
    core.loop.add_reader(launching.fileno(), partial(_advance_launch, container, launching))


def _advance_launch(container: Container, launching: Launching) -> None:
    if container.launching is launching and launching.advance():
        container.finish_launch()


def settle_launch(container: Container) -> None:
    """When a launch is under way, wait for its end (milliseconds)."""
    if container.launching is not None:
        container.finish_launch()


def _finish_launch(core: Core, container: Container, launching: Launching, plan: Launch) -> None:
    if container.launching is not launching:
        return
    core.loop.remove_reader(launching.fileno())
    container.launching = None
    try:
        launched = launching.finish()
    except (OrchestraError, OSError) as exc:
        container.launch_undo.close()
        _start_failed(core, container, as_error(exc, "launch"))
        return
    if plan.stdin >= 0:
        os.close(plan.stdin)
    container.launch_undo.pop_all()
    for volume in plan.volumes:
        if volume.fill:
            core.drivers.volumes.mark_filled(_volume_name(container, volume.target))
    _launched(core, container, launched)


def _volume_name(container: Container, target: str) -> str:
    return next(mount.source for mount in container.spec.mounts if mount.target == target)


def _launched(core: Core, container: Container, launched: Launched) -> None:
    container.started_s = time.monotonic()
    state = container.state._replace(
        status=Status.RUNNING,
        pid=launched.pid,
        start_ticks=launched.start_ticks,
        boot_id=boot_id(),
        started_ns=time.time_ns(),
        exit_code=0,
        error="",
        oom_killed=False,
        stopped_by_user=False,
        hooks_due=bool(container.start_replies and container.spec.post_start),
        health=probing.initial_status(container.spec.healthcheck),
    )
    core.set_state(container, state)
    if launched.terminal >= 0 and container.pump is not None:
        container.pump.add_terminal(launched.terminal)
    watch(core, container, launched.pidfd, launched.network_fds)
    try:
        connect(core, container, launched.network_fds)
    except (OrchestraError, OSError) as exc:
        _give_up(core, container, as_error(exc, "connect its networks"))
        return
    probing.begin(core, container)
    core.emit(container, "start")
    if container.restart_requested:
        container.restart_requested = False
        core.emit(container, "restart")
    container.is_shutting_down = False
    is_delayed = _begin_hooks(core, container)
    if not is_delayed or container.spec.oneoff:  # `run` shows its command's output meanwhile
        _answer_start(container)
    waiting.settle(container)


def _begin_hooks(core: Core, container: Container) -> bool:
    """Run the `post_start` hooks if somebody has asked for the start; False when there are none.

    That they are due is part of the state: a start that is asked again after the supervisor was
    killed runs them from the first on.
    """
    if not container.state.hooks_due:
        return False

    def done(error: OrchestraError | None) -> None:
        core.set_state(container, container.state._replace(hooks_due=False))
        if error is None:
            _answer_start(container)
            return
        if not container.start_replies:
            _LOG.error("%s", error)
        _refuse_start(container, error)

    sequence = hooks.HookSequence(core, container, "post_start", container.spec.post_start, done)
    sequence.begin()
    return True


def watch(core: Core, container: Container, pidfd: int, network_fds: tuple[int, ...]) -> None:
    """Be told when the container's process ends; owns *pidfd*.

    It is parked, with stdin, output and the name server's sockets: while somebody has a pidfd open,
    the kernel keeps the exit status, even of a process that was reaped; and a question to a name
    server that has just been killed waits for the next instead of being refused.
    """
    container.pidfd = pidfd
    outputs = container.pump.fds if container.pump is not None else ()
    stdin = (container.stdin,) if keeps_stdin(container.spec) else ()
    core.keeper.park(parking_key(container), (pidfd, *network_fds, *outputs, *stdin))
    core.exits.watch(
        container.state.pid,
        container.state.start_ticks,
        pidfd,
        lambda status: exited(core, container, status),
    )


def output_count(spec: ContainerSpec) -> int:
    """How many descriptors carry the output of a container with *spec*."""
    if spec.process.tty:
        return 1
    return 0 if spec.log.driver == "none" else 2


def keeps_stdin(spec: ContainerSpec) -> bool:
    """Do we hold the writing end of its stdin for good, so that it never ends?"""
    process = spec.process
    return process.stdin_open and not process.tty and not process.stdin_once


def close_stdin(container: Container) -> None:
    """Give up our side of its stdin."""
    if container.stdin >= 0:
        os.close(container.stdin)
        container.stdin = -1


def parking_key(container: Container) -> str:
    """Names one run of a container."""
    return f"{container.id} {container.state.start_ticks}"


def connect(core: Core, container: Container, fds: tuple[int, ...]) -> None:
    """Publish the container's ports and names. Raises what the driver raises."""
    core.drivers.networks.connected(container.spec, container.allocation, container.state.pid, fds)


def _give_up(core: Core, container: Container, error: OrchestraError) -> None:
    """It runs, but not as it should: kill it, and report *error* as the start's failure."""
    state = container.state._replace(error=error.what, stopped_by_user=True)
    core.set_state(container, state)
    _refuse_start(container, error)
    if container.scope is not None:
        container.scope.kill()


def _start_failed(core: Core, container: Container, error: OrchestraError) -> None:
    container.restart_requested = False
    is_of_command = isinstance(error, LaunchFailed) and error.exit_code in _OF_THE_COMMAND
    if is_of_command and not container.spec.oneoff:  # a one-off's may be of the command line
        error.at("services", container.spec.service, "command")
    was_started = container.state.started_ns != 0
    state = container.state._replace(
        status=Status.EXITED if was_started else Status.CREATED,
        pid=0,
        start_ticks=0,
        error=error.what,
        exit_code=error.exit_code if isinstance(error, LaunchFailed) else 125,
        finished_ns=time.time_ns() if was_started else 0,
        health=Health.NONE,
    )
    core.set_state(container, state)
    _refuse_start(container, error)
    core.emit(container, "die", exit_code=state.exit_code)
    _after_final_exit(container)


def _answer_start(container: Container) -> None:
    replies, container.start_replies = container.start_replies, []
    for reply in replies:
        reply.succeed()


def _refuse_start(container: Container, error: OrchestraError) -> None:
    replies, container.start_replies = container.start_replies, []
    for reply in replies:
        reply.fail(error)


def end_hooks(container: Container, cause: str) -> None:
    """No more hooks: the container ends, or is to end. Who waits for `post_start` is told."""
    if container.hooks is None:
        return
    container.hooks.cancel()
    if container.state.hooks_due:
        name = container.state.name
        _refuse_start(container, RuntimeFailure(f"container {name} {cause} in its post_start hook"))


# -- the end --------------------------------------------------------------------------------------
def exited(core: Core, container: Container, status: int | None) -> None:
    """The container's process has ended with wait status *status* (None: nobody knows)."""
    end_hooks(container, "ended")
    state = container.state
    oom_killed = release_run(core, container)
    code = EXIT_CODE_LOST if status is None else exit_code(status)
    ran_s = max(0.0, (time.time_ns() - state.started_ns) / 1e9)
    is_wanted = state.stopped_by_user or container.restart_requested or container.is_shutting_down
    end = Exit(code, ran_s, is_wanted)
    decision = decide(container.spec.restart, container.backoff, end)
    container.backoff = decision.backoff
    goes_on = decision.delay_s is not None or container.restart_requested
    lost = "its exit status was lost: the reaper was killed" if status is None else state.error
    state = state._replace(
        status=Status.RESTARTING if goes_on else Status.EXITED,
        pid=0,
        start_ticks=0,
        finished_ns=time.time_ns(),
        exit_code=code,
        oom_killed=oom_killed,
        error=lost,
        hooks_due=False,
        health=Health.NONE,
    )
    core.set_state(container, state)
    if oom_killed:
        core.emit(container, "oom")
    core.emit(container, "die", exit_code=code, restarting=decision.delay_s is not None)
    if decision.delay_s is not None:
        schedule_restart(core, container, decision.delay_s)
        waiting.settle(container)
    elif container.restart_requested:
        core.emit(container, "stop")
        start(core, container)
    else:
        if container.stop_replies:
            core.emit(container, "stop")
        _after_final_exit(container)


def release_run(core: Core, container: Container) -> bool:
    """Let go of what a run held; True when the kernel's OOM killer took part in its end."""
    probing.stop(container)
    if container.kill_timer is not None:
        container.kill_timer.cancel()
        container.kill_timer = None
    try:
        core.drivers.networks.disconnected(container.id)
    except (OrchestraError, OSError) as exc:  # a full disk: it is dead all the same
        _LOG.error("%s: cannot disconnect it: %s", container.state.name, exc)
    oom_killed = False
    if container.scope is not None:
        oom_killed = container.scope.usage().oom_kills > 0
        if container.spec.namespaces.pid or not container.state.pid:
            # a shared pid namespace does not die with its first process; nor does a launch that
            # was cut short
            container.scope.kill()
        core.destroy_scope(container)
    _close_pump(container)
    close_stdin(container)
    core.keeper.forget(parking_key(container))
    if container.pidfd >= 0:
        os.close(container.pidfd)
        container.pidfd = -1
    return oom_killed


def schedule_restart(core: Core, container: Container, delay_s: float) -> None:
    container.restart_timer = core.loop.call_later(delay_s, lambda: _restart(core, container))


def _restart(core: Core, container: Container) -> None:
    container.restart_timer = None
    count = container.state.restart_count + 1
    container.state = container.state._replace(restart_count=count)
    start(core, container)


def cancel_restart(container: Container) -> None:
    if container.restart_timer is not None:
        container.restart_timer.cancel()
        container.restart_timer = None


def _after_final_exit(container: Container) -> None:
    replies, container.stop_replies = container.stop_replies, []
    for reply in replies:
        reply.succeed()
    _refuse_start(container, RuntimeFailure(f"container {container.state.name} was stopped"))
    waiting.settle(container)
    remove, container.remove_request = container.remove_request, None
    if remove is not None:
        remove()


def _close_pump(container: Container) -> None:
    if container.pump is not None:
        container.pump.finish()
        container.pump = None


def as_error(exc: OrchestraError | OSError, step: str) -> OrchestraError:
    if isinstance(exc, OrchestraError):
        return exc
    place = f": {exc.filename}" if exc.filename else ""
    return LaunchFailed(f"{step}: {exc.strerror or exc}{place}")
