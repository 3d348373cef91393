"""`container top`: the processes of one running container."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, Conflict
from orchestra.linux.tool import run_tool
from orchestra.ops.top import container_top

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.model.state import ContainerState
    from orchestra.ops.top import ProcessLine

_PS_S = 30.0


def processes_of(state: ContainerState) -> tuple[ProcessLine, ...]:
    """By pid. Raises Conflict for a container that does not run."""
    for _, processes in container_top((state,)):
        return processes
    raise Conflict(f"container {state.id} is not running", fix="`orchestra container start` it")


def ps_lines(state: ContainerState, options: Sequence[str]) -> tuple[str, ...]:
    """The header and the container's lines of this host's `ps OPTIONS`, as Docker does it.

    Raises Conflict for a container that does not run, ConfigError without a column PID, and what
    `ps` says of its options.
    """
    pids = {str(process.pid) for process in processes_of(state)}
    done = run_tool(["ps", *options], timeout_s=_PS_S, environ=os.environ)
    if done.exit_code:
        raise ConfigError(f"ps: {done.stderr.decode(errors='replace').strip()}")
    header, *lines = done.stdout.decode(errors="replace").splitlines() or [""]
    columns = header.split()
    if "PID" not in columns:
        raise ConfigError("Couldn't find PID field in ps output", fix="add pid to its columns")
    position = columns.index("PID")
    return (header, *(line for line in lines if pids.intersection(line.split()[position:][:1])))
