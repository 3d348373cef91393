"""Who attaches gets a descriptor of the container's input; the rest needs no engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.engine.embedded import running
from orchestra.errors import Conflict

if TYPE_CHECKING:
    from orchestra.engine.base import AttachInput
    from orchestra.engine.embedded.core import Container, Core, Reply


def attach_input(_core: Core, container: Container, _request: AttachInput, reply: Reply) -> None:
    """Answer with the terminal's master side or the writing end of stdin. Raises Conflict.

    An end that is to close when the first who attached closes it is given away.
    """
    running.settle_launch(container)
    if not container.is_running:
        raise Conflict(
            f"container {container.state.name} is not running", fix="see which do: orchestra ps"
        )
    process = container.spec.process
    if process.tty:
        outputs = container.pump.fds if container.pump is not None else ()
        reply.succeed(fds=tuple(os.dup(fd) for fd in outputs))
    elif container.stdin < 0:
        reply.succeed()
    elif process.stdin_once:
        given, container.stdin = container.stdin, -1
        reply.succeed(fds=(given,))
    else:
        reply.succeed(fds=(os.dup(container.stdin),))
