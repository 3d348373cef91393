"""Who attaches to a container with a terminal gets a descriptor of it; the rest needs no engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.engine.embedded import running
from orchestra.errors import Conflict

if TYPE_CHECKING:
    from orchestra.engine.base import AttachTerminal
    from orchestra.engine.embedded.core import Container, Core, Reply


def attach_terminal(
    _core: Core, container: Container, _request: AttachTerminal, reply: Reply
) -> None:
    """Answer with a duplicate of the master side. Raises Conflict."""
    running.settle_launch(container)
    name = container.state.name
    if not container.is_running or container.pump is None:
        raise Conflict(f"container {name} is not running", fix="see which do: orchestra ps")
    if not container.spec.process.tty:
        raise Conflict(f"container {name} has no terminal", fix="set tty: true for its service")
    reply.succeed(fds=tuple(os.dup(fd) for fd in container.pump.fds))
