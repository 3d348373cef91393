"""What an errand does: use cases of `ops`, on this machine. Runs in the errand's interpreter.

The caller imports this module to name the functions, so all else is imported inside them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.ops.target import Target
    from orchestra.plan.events import Report


class UpRequest(NamedTuple):
    """The words of `Project.up`; *recreate* and *build* as its flags."""

    services: tuple[str, ...] = ()
    build: bool | None = None  # None: what has no image yet
    recreate: bool = False
    remove_orphans: bool = False
    wait: bool = False
    timeout_s: float | None = None
    stop_timeout_s: float | None = None
    scale: tuple[tuple[str, int], ...] = ()


def up(report: Report, name: str, pickled: bytes, request: UpRequest) -> None:
    """`ops.up`; the project comes pickled, so that a supervisor is prepared meanwhile."""
    from orchestra.wiring import host

    machine = host()
    if not os.path.exists(machine.layout.socket(name)):
        machine.expect_engine()
    import pickle

    from orchestra.ops.building import Building
    from orchestra.ops.up import UpOptions
    from orchestra.ops.up import up as bring_up
    from orchestra.plan.decide import Recreate

    builds = {None: Building.MISSING, True: Building.ALWAYS, False: Building.NEVER}
    options = UpOptions(
        services=request.services,
        recreate=Recreate.FORCE if request.recreate else Recreate.DIVERGED,
        remove_orphans=request.remove_orphans,
        stop_grace_s=request.stop_timeout_s,
        scale=request.scale,
        wait=request.wait,
        wait_timeout_s=request.timeout_s,
        building=builds[request.build],
    )
    bring_up(machine, pickle.loads(pickled), options, report)  # noqa: S301 (from our caller)


class DownRequest(NamedTuple):
    """The words of `Project.down`; *for_good*: the name was made up, and comes never again."""

    volumes: bool = False
    remove_orphans: bool = False
    stop_timeout_s: float | None = None
    for_good: bool = False


def down(report: Report, target: Target, request: DownRequest) -> None:
    """`ops.down`."""
    from orchestra.ops.down import DownOptions
    from orchestra.ops.down import down as take_down
    from orchestra.wiring import host

    machine = host()
    options = DownOptions(request.volumes, request.remove_orphans, request.stop_timeout_s)
    take_down(machine, target, options, report)
    if request.for_good:
        from orchestra.ops.forget import forget

        forget(machine.layout, target.project)


def start(report: Report, target: Target) -> None:
    """`ops.start`."""
    from orchestra.ops.start import start as carry_out
    from orchestra.wiring import host

    carry_out(host(), target, report)


def stop(report: Report, target: Target, *, timeout_s: float | None) -> None:
    """`ops.stop`."""
    from orchestra.ops.stop import stop as carry_out
    from orchestra.wiring import host

    carry_out(host(), target, report, grace_s=timeout_s)


def restart(report: Report, target: Target, *, timeout_s: float | None) -> None:
    """`ops.restart`."""
    from orchestra.ops.restart import restart as carry_out
    from orchestra.wiring import host

    carry_out(host(), target, report, grace_s=timeout_s)


def kill(report: Report, target: Target, *, signal: str) -> None:
    """`ops.kill`."""
    from orchestra.ops.kill import kill as carry_out
    from orchestra.wiring import host

    carry_out(host(), target, report, signal=signal)


def await_healthy(report: Report, target: Target, *, timeout_s: float | None) -> None:
    """Wait for the running containers of *target*. Raises RuntimeFailure and TimedOut."""
    from orchestra.ops.dispatch import carry_out
    from orchestra.ops.target import find_containers
    from orchestra.plan.lifecycle import plan_ready
    from orchestra.wiring import host

    machine = host()
    plan = plan_ready(find_containers(machine.layout, target, orphans=False))
    carry_out(machine, target.project, plan, report, timeout_s=timeout_s)


class Command(NamedTuple):
    """The words of `Service.exec`."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    workdir: str = ""
    privileged: bool = False
    number: int = 0  # of the container; 0: the first
    has_input: bool = False


def run_command(_report: Report, target: Target, command: Command) -> int:
    """`ops.exec` on this process's own standard streams, which are pipes; the exit code."""
    from orchestra.ops.exec import ExecOptions, exec_in
    from orchestra.wiring import host

    options = ExecOptions(
        argv=command.argv,
        env=command.env,
        user=command.user,
        cwd=command.workdir,
        privileged=command.privileged,
        interactive=command.has_input,
        number=command.number,
    )
    return exec_in(host().layout, target, options)
