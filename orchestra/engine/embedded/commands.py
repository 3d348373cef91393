"""Commands in running containers, as children of ours: healthchecks and hooks.

A command's output goes through a pipe. One that leaves the pipe open in a background process ends
with its own exit.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from orchestra.engine.embedded.core import CommandStart

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.engine.embedded.core import Container, Core
    from orchestra.model.container import Hook

_READ_BYTES = 65536


class RunningCommand:
    """One command. *ended* gets its wait status once, unless it is cancelled before."""

    def __init__(
        self,
        core: Core,
        container: Container,
        command: Hook,
        *,
        take: Callable[[bytes], None],
        ended: Callable[[int], None],
    ) -> None:
        """*take* gets what it writes, as it comes. Raises OSError or OrchestraError."""
        self._core = core
        self._take = take
        self._tell_end = ended
        self._is_cancelled = False
        self._read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            assert container.scope is not None  # noqa: S101 (a running container has one)
            start = CommandStart(
                container.spec,
                container.state.pid,
                container.state.start_ticks,
                command,
                write_end,
                container.scope,
            )
            self._pid, self._pidfd = core.drivers.start_command(start)
        except BaseException:
            os.close(self._read_end)
            raise
        finally:
            os.close(write_end)
        core.commands.add(self)
        core.loop.add_reader(self._read_end, self._read)
        core.loop.add_reader(self._pidfd, self._ended)

    def _read(self) -> None:
        """Take what there is now."""
        while self._read_end >= 0:
            try:
                content = os.read(self._read_end, _READ_BYTES)
            except BlockingIOError:
                return
            if not content:
                self._core.loop.remove_reader(self._read_end)
                return
            self._take(content)
            if len(content) < _READ_BYTES:
                return

    def _ended(self) -> None:
        self._read()
        self._let_go()
        self._core.loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        try:
            status = os.waitpid(self._pid, 0)[1]
        except ChildProcessError:
            status = -1
        self._core.commands.discard(self)
        if not self._is_cancelled:
            self._tell_end(status)

    def cancel(self) -> None:
        """Kill it; no end is told. It is reaped when it is dead, which nobody waits for."""
        self._is_cancelled = True
        self._let_go()
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _let_go(self) -> None:
        if self._read_end >= 0:
            self._core.loop.remove_reader(self._read_end)
            os.close(self._read_end)
            self._read_end = -1
