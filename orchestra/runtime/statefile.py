"""Files that are replaced whole, and the states of a project's containers read without a lock.

Readers may meet a container that is being made, removed or was left half-made by a kill: such a
directory is skipped. A state that says "running" about a process that is gone is reported as
exited, with the exit code that the reaper wrote down, so that `ps` is right without a supervisor.
Imported by `ps`: nothing but os, json (through `model.state`), errors and the layout.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from orchestra.errors import PermissionDenied
from orchestra.linux.procfs import boot_id, exists, is_running
from orchestra.model.state import ContainerState, Status, load_state

if TYPE_CHECKING:
    from orchestra.layout import Layout

EXIT_CODE_LOST = 255
"""Nobody was there to collect the exit status (every process of ours was killed)."""


def write_atomically(path: str, content: bytes, *, durable: bool = True, mode: int = 0o600) -> None:
    """Replace *path* by *content*: a reader, or a crash, sees the old or the new, never a part.

    With *durable* the same holds after a power cut. Raises OSError; a temporary file is left behind
    only when killed, and the next write by a process of the same id replaces it.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(fd, view) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def exit_code(wait_status: int) -> int:
    """The exit code that a shell would report: 128+N for a death by signal N."""
    code = os.waitstatus_to_exitcode(wait_status & ~0x80)
    return code if code >= 0 else 128 - code


def recorded_exits(layout: Layout, project: str) -> dict[tuple[int, int], int]:
    """What the reaper wrote down: (pid, start ticks) -> wait status."""
    try:
        with open(layout.exits(project), "rb") as file:
            content = file.read()
    except OSError:
        return {}
    return parse_exits(content)


def parse_exits(content: bytes) -> dict[tuple[int, int], int]:
    """The complete lines of an exits file; damaged ones are skipped."""
    exits: dict[tuple[int, int], int] = {}
    for line in content.split(b"\n")[:-1]:
        fields = line.split()
        if len(fields) == 3 and all(field.isdigit() for field in fields):
            exits[int(fields[0]), int(fields[1])] = int(fields[2])
    return exits


def container_ids(layout: Layout, project: str) -> tuple[str, ...]:
    """The names of the project's container directories, half-made ones included.

    Raises PermissionDenied.
    """
    return _names_in(layout.containers(project))


def read_stored_state(
    layout: Layout, project: str, container_id: str, boot: str = ""
) -> ContainerState | None:
    """What `state.json` says, right or stale; None when the container was never finished.

    What ran before a reboot is exited; *boot* is this boot's id, if the caller has it. A file that
    a crash of the host has damaged is made good from `spec.json`.
    """
    try:
        with open(layout.state_json(project, container_id), "rb") as file:
            content = file.read()
    except OSError:
        return None
    try:
        return _of_this_boot(load_state(content), boot)
    except ValueError:
        return _state_from_spec(layout.spec_json(project, container_id))


def _of_this_boot(state: ContainerState, boot: str) -> ContainerState:
    """*state*, exited if it is of before a reboot: its pid may be anybody's by now."""
    is_over = state.pid != 0 or state.status == Status.RESTARTING
    if not is_over or not state.boot_id or state.boot_id == (boot or boot_id()):
        return state
    booted_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return state._replace(
        status=Status.EXITED,
        pid=0,
        start_ticks=0,
        exit_code=EXIT_CODE_LOST if state.pid else state.exit_code,
        finished_ns=max(state.started_ns, booted_ns) if state.pid else state.finished_ns,
        error="the machine was restarted",
        hooks_due=False,
        health="",
    )


def _state_from_spec(path: str) -> ContainerState | None:
    try:
        with open(path, "rb") as file:
            spec = json.loads(file.read())
        return ContainerState(
            id=spec["id"],
            name=spec["name"],
            project=spec["project"],
            service=spec["service"],
            number=spec.get("number", 1),
            image=spec["image"],
            image_id=spec["image_id"],
            config_hash=spec.get("config_hash", ""),
            command=tuple(spec["process"]["argv"]),
            created_ns=os.stat(path).st_mtime_ns,
            oneoff=spec.get("oneoff", False),
            labels=tuple((key, value) for key, value in spec.get("labels", ())),
            status=Status.EXITED,
            exit_code=EXIT_CODE_LOST,
            error="its state was lost in a crash of the host",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_states(layout: Layout, project: str) -> tuple[ContainerState, ...]:
    """All containers of *project* as they are now, ordered by service, number and name.

    Raises PermissionDenied.
    """
    boot = boot_id()
    names = container_ids(layout, project)
    stored = (read_stored_state(layout, project, name, boot) for name in names)
    states = [state for state in stored if state is not None]
    ended = {
        state.id: exists(state.pid, state.start_ticks)
        for state in states
        if state.pid and not is_running(state.pid, state.start_ticks)
    }
    if ended:
        # The reaper notes a status while the process is a zombie: what was no zombie any more when
        # it was looked at is in the file by now, or never will be.
        exits = recorded_exits(layout, project)
        for index, state in enumerate(states):
            is_noted = (state.pid, state.start_ticks) in exits
            if state.id in ended and (is_noted or not ended[state.id]):
                states[index] = as_exited(state, exits)
    states.sort(key=lambda state: (state.service, state.number, state.name))
    return tuple(states)


def as_exited(state: ContainerState, exits: dict[tuple[int, int], int]) -> ContainerState:
    """*state*, whose process is gone, as exited with the status in *exits*."""
    status = exits.get((state.pid, state.start_ticks))
    code = EXIT_CODE_LOST if status is None else exit_code(status)
    return state._replace(status=Status.EXITED, pid=0, start_ticks=0, exit_code=code, health="")


def projects(layout: Layout) -> tuple[str, ...]:
    """The names of all projects that have a directory. Raises PermissionDenied."""
    return _names_in(layout.projects)


def _names_in(directory: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(directory)))
    except PermissionError as exc:
        raise PermissionDenied(
            f"cannot read {directory}: permission denied",
            fix="run it as the user whose projects these are, usually root",
        ) from exc
    except OSError:
        return ()
