"""Stop, kill, restart, pause: what reaches into a running container."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

from orchestra.engine.embedded import probing, running, waiting
from orchestra.engine.embedded.hooks import HookSequence
from orchestra.errors import ConfigError, Conflict
from orchestra.model.state import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.engine.base import (
        KillContainer,
        PauseContainer,
        RestartContainer,
        StopContainer,
        UnpauseContainer,
    )
    from orchestra.engine.embedded.core import Container, Core, Reply
    from orchestra.errors import OrchestraError


def signal_number(name: str) -> int:
    """The number of "SIGTERM", "TERM", "15" or "SIGRTMIN+3". Raises ConfigError."""
    text = name.upper()
    if text.isdigit() and 0 < int(text) <= signal.SIGRTMAX:
        return int(text)
    base, plus, offset = text.removeprefix("SIG").partition("+")
    number = getattr(signal.Signals, f"SIG{base}", None)
    if number is not None and (not plus or offset.isdigit()):
        return int(number) + int(offset or 0)
    raise ConfigError(f'"{name}" is not a signal', fix="for example SIGTERM, HUP or 15")


def stop(core: Core, container: Container, request: StopContainer, reply: Reply) -> None:
    """Answered when it has exited; at once when it does not run."""
    running.settle_launch(container)
    number = signal_number(request.signal or container.spec.stop_signal or "SIGTERM")
    grace_s = container.spec.stop_grace_s if request.grace_s is None else request.grace_s
    container.restart_requested = False
    container.is_shutting_down = request.to_resume
    if not _leave_alone(core, container, remember=not request.to_resume):
        reply.succeed()
        return
    container.stop_replies.append(reply)
    _after_pre_stop(core, container, lambda: terminate(core, container, number, grace_s))


def _after_pre_stop(core: Core, container: Container, go_on: Callable[[], None]) -> None:
    """Run the `pre_stop` hooks, then *go_on*; what is frozen cannot run them.

    A second request joins the first. When a hook fails, all are told, and the container runs on.
    """
    if container.hooks is not None and not container.state.hooks_due:
        return
    running.end_hooks(container, "was stopped")
    sequence = container.spec.pre_stop
    if not sequence or container.state.status != Status.RUNNING:
        go_on()
        return

    def done(error: OrchestraError | None) -> None:
        if error is None:
            go_on()
            return
        container.restart_requested = container.is_shutting_down = False
        core.set_state(container, container.state._replace(stopped_by_user=False))
        waiting_for = container.stop_replies + container.start_replies
        container.stop_replies, container.start_replies = [], []
        for reply in waiting_for:
            reply.fail(error)

    HookSequence(core, container, "pre_stop", sequence, done).begin()


def _leave_alone(core: Core, container: Container, *, remember: bool = True) -> bool:
    """Note that no restart is wanted any more; True when there is something to be stopped.

    *remember* it beyond its end: then `unless-stopped` does not start it after a reboot.
    """
    state = container.state
    running.cancel_restart(container)
    if container.is_running:
        if remember and not state.stopped_by_user:
            core.set_state(container, state._replace(stopped_by_user=True))
        return True
    if state.status == Status.RESTARTING:
        core.set_state(container, state._replace(status=Status.EXITED, stopped_by_user=remember))
        waiting.settle(container)
    return False


def terminate(core: Core, container: Container, number: int, grace_s: float) -> None:
    """Send signal *number*; SIGKILL to all of it after *grace_s* (-1: never)."""
    if container.kill_timer is not None:
        container.kill_timer.cancel()
        container.kill_timer = None
    _tell_of_signal(core, container, number if grace_s else signal.SIGKILL)
    if grace_s == 0:
        _kill_all(container)
        return
    _send(container, number)
    _thaw(core, container)
    if grace_s > 0:
        container.kill_timer = core.loop.call_later(grace_s, lambda: _run_out(core, container))


def _run_out(core: Core, container: Container) -> None:
    """The grace period has."""
    _tell_of_signal(core, container, signal.SIGKILL)
    _kill_all(container)


def _tell_of_signal(core: Core, container: Container, number: int) -> None:
    core.emit(container, "kill", attributes=(("signal", str(int(number))),))


def kill(core: Core, container: Container, request: KillContainer, reply: Reply) -> None:
    """Send a signal. SIGKILL and the stop signal end it for good, as Docker has it."""
    running.settle_launch(container)
    number = signal_number(request.signal)
    if not container.is_running and container.state.status != Status.RESTARTING:
        raise Conflict(
            f"container {container.state.name} is not running",
            fix="see which do: orchestra ps",
        )
    is_final = number in (signal.SIGKILL, signal_number(container.spec.stop_signal or "SIGTERM"))
    if is_final and not _leave_alone(core, container):
        reply.succeed()
        return
    if number == signal.SIGKILL:
        _kill_all(container)
    else:
        _send(container, number)
        _thaw(core, container)
    _tell_of_signal(core, container, number)
    reply.succeed()


def restart(core: Core, container: Container, request: RestartContainer, reply: Reply) -> None:
    """Stop it, start it again; answered when its command runs."""
    running.settle_launch(container)
    grace_s = container.spec.stop_grace_s if request.grace_s is None else request.grace_s
    if not container.is_running:
        running.start(core, container, reply)
        return
    number = signal_number(container.spec.stop_signal or "SIGTERM")
    if container.state.hooks_due:
        running.end_hooks(container, "was restarted")
    container.start_replies.append(reply)
    container.restart_requested = True
    _after_pre_stop(core, container, lambda: terminate(core, container, number, grace_s))


def pause(core: Core, container: Container, _request: PauseContainer, reply: Reply) -> None:
    running.settle_launch(container)
    if container.state.status == Status.PAUSED:
        raise Conflict(f"container {container.state.name} is already paused")
    if container.state.status != Status.RUNNING or container.scope is None:
        raise Conflict(f"container {container.state.name} is not running")
    probing.stop(container)
    container.scope.freeze()
    core.set_state(container, container.state._replace(status=Status.PAUSED))
    core.emit(container, "pause")
    reply.succeed()


def unpause(core: Core, container: Container, _request: UnpauseContainer, reply: Reply) -> None:
    if container.state.status != Status.PAUSED:
        raise Conflict(f"container {container.state.name} is not paused")
    _thaw(core, container)
    probing.begin(core, container)
    core.emit(container, "unpause")
    reply.succeed()


def _thaw(core: Core, container: Container) -> None:
    if container.state.status == Status.PAUSED:
        if container.scope is not None:
            container.scope.thaw()
        core.set_state(container, container.state._replace(status=Status.RUNNING))


def _send(container: Container, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just exited
        signal.pidfd_send_signal(container.pidfd, number)


def _kill_all(container: Container) -> None:
    """The first process takes its pid namespace with it; from a shared one the cgroup goes."""
    _send(container, signal.SIGKILL)
    if container.scope is not None:
        if container.state.status == Status.PAUSED:
            container.scope.thaw()
        if container.spec.namespaces.pid:
            container.scope.kill()
