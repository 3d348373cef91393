"""`exec`: one more command in a running container; needs no supervisor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from orchestra.errors import Conflict
from orchestra.model.state import Status
from orchestra.named import NamedTuple
from orchestra.ops.container_find import spec_fields
from orchestra.ops.target import one_container
from orchestra.runtime.capabilities import capability_set
from orchestra.runtime.eventlog import note
from orchestra.runtime.exec import ExecRequest, ExecTarget, execution_for, spawn_exec
from orchestra.runtime.join_cgroups import CgroupsOf
from orchestra.runtime.seccomp_profile import SeccompProfiles
from orchestra.runtime.session import Streams, run_exec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.target import Target


class ExecOptions(NamedTuple):
    """A command; "" and () mean: as the container's own. *number* 0 is the first container."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    user: str = ""
    cwd: str = ""
    privileged: bool = False
    tty: bool = False
    interactive: bool = True
    detach: bool = False
    number: int = 0
    breaks_off: bool = False  # a signal ends the wait for it too, with KeyboardInterrupt


def exec_in(layout: Layout, target: Target, options: ExecOptions) -> int:
    """Run the command in the one service of *target*; its exit code (0 when detached).

    Raises NotFound when the service does not run and Conflict when it is paused.
    """
    container = one_container(layout, target, index=options.number)
    if container.status == Status.PAUSED:
        raise Conflict(
            f"container {container.name} is paused",
            fix=f"`orchestra unpause {container.service}` before you run a command in it",
        )
    return exec_in_container(layout, container, options)


def exec_in_container(layout: Layout, container: ContainerState, options: ExecOptions) -> int:
    """The same, for a container that has been found. Raises NotFound."""
    request = ExecRequest(
        argv=options.argv,
        env=options.env,
        user=options.user,
        cwd=options.cwd,
        privileged=options.privileged,
        tty=options.tty,
    )
    where = ExecTarget(
        container.name, container.pid, container.start_ticks, CgroupsOf(container.pid)
    )
    spec = spec_fields(layout, container)
    execution = execution_for(spec, request, _seccomp(spec, options))
    told = _ExecEvents(layout, container, options.argv)
    if options.detach:
        spawn_exec(where, execution, request._replace(tty=False))
        return 0
    stdin = 0 if options.interactive else -1
    code = run_exec(where, execution, request, Streams(stdin), breaks_off=options.breaks_off)
    told.ended(code)
    return code


class _ExecEvents:
    """What `events` shows of one command; that it has ended is not known of a detached one."""

    def __init__(self, layout: Layout, container: ContainerState, argv: tuple[str, ...]) -> None:
        self._layout = layout
        self._container = container
        self._id = (("execID", os.urandom(32).hex()),)
        for step in ("exec_create", "exec_start"):
            note(layout, container, f"{step}: {' '.join(argv)}", self._id)

    def ended(self, code: int) -> None:
        note(self._layout, self._container, "exec_die", (*self._id, ("exitCode", str(code))))


def _seccomp(spec: Mapping[str, Any], options: ExecOptions) -> bytes | None:
    """The filter that the container's own command has. Raises ConfigError for a broken profile."""
    security = spec.get("security", {})
    privileged = options.privileged or bool(security.get("privileged"))
    capabilities = capability_set(
        tuple(security.get("cap_add", ())),
        tuple(security.get("cap_drop", ())),
        privileged=privileged,
    )
    chosen = tuple(security.get("options", ()))
    return SeccompProfiles().program(chosen, capabilities, privileged=privileged)
