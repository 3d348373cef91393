"""Life cycle hooks: `post_start` and `pre_stop`, one command after another inside the container.

As Docker Compose has it, hooks belong to what somebody asks for (a start, a stop, a restart), and
not to a crash or to what the restart policy does; and a hook that fails makes the request fail and
changes nothing else: after a failed `pre_stop` the container goes on running.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.engine.embedded.commands import RunningCommand
from orchestra.errors import OrchestraError, RuntimeFailure
from orchestra.model.state import HOOK_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.engine.embedded.core import Container, Core
    from orchestra.model.container import Hook
    from orchestra.network.base import Timer

_TAIL_BYTES = 2048
_TAIL_LINES = 10
_SIGKILL = 9
_END_OF_CONTAINER_S = 0.2
"""When the container's first process ends, the kernel kills the hook a moment before we hear of
the former: so long a killed hook is not told to have failed."""


class HookSequence:
    """Runs *hooks* one after another; *done* gets None, or why one of them has failed, once."""

    def __init__(
        self,
        core: Core,
        container: Container,
        kind: str,
        hooks: tuple[Hook, ...],
        done: Callable[[OrchestraError | None], None],
    ) -> None:
        self._core = core
        self._container = container
        self._kind = kind
        self._hooks = hooks
        self._done = done
        self._position = 0
        self._tail = b""
        self._line = b""
        self._command: RunningCommand | None = None
        self._timer: Timer | None = None

    def begin(self) -> None:
        self._container.hooks = self
        self._next()

    def cancel(self) -> None:
        """Kill what runs; *done* is not called."""
        self._container.hooks = None
        if self._timer is not None:
            self._timer.cancel()
        if self._command is not None:
            self._command.cancel()
            self._command = None

    def _next(self) -> None:
        if self._position == len(self._hooks):
            self._end(None)
            return
        self._tail = self._line = b""
        try:
            self._command = RunningCommand(
                self._core,
                self._container,
                self._hooks[self._position],
                take=self._take,
                ended=self._ended,
            )
        except OrchestraError as exc:
            self._end(exc)
        except OSError as exc:
            self._end(RuntimeFailure(f"{self._place()}: {exc.strerror or exc}"))

    def _take(self, content: bytes) -> None:
        self._tail = (self._tail + content)[-_TAIL_BYTES:]
        complete, newline, self._line = (self._line + content).rpartition(b"\n")
        if newline:
            self._show(complete + newline)
        if len(self._line) > _TAIL_BYTES:
            self._show(self._line)
            self._line = b""

    def _show(self, text: bytes) -> None:
        shown = (("text", text.decode(errors="replace")),)
        self._core.emit(self._container, HOOK_OUTPUT, attributes=shown)

    def _ended(self, status: int) -> None:
        self._command = None
        if self._line:
            self._show(self._line)
        if status == 0:
            self._position += 1
            self._next()
        elif status == _SIGKILL:
            self._timer = self._core.loop.call_later(
                _END_OF_CONTAINER_S, lambda: self._end(self._failure(status))
            )
        else:
            self._end(self._failure(status))

    def _failure(self, status: int) -> OrchestraError:
        code = os.waitstatus_to_exitcode(status) if status >= 0 else 255
        lines = self._tail.decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
        said = ": " + "\n".join(lines) if lines else ""
        return RuntimeFailure(
            f"{self._place()} exited with status {128 - code if code < 0 else code}{said}",
            fix=f"the container goes on running; the command was: {self._command_line()}",
        ).at("services", self._container.spec.service, self._kind)

    def _place(self) -> str:
        name = self._container.state.name
        return f"container {name}: {self._kind} hook {self._position + 1}"

    def _command_line(self) -> str:
        from shlex import join

        return join(self._hooks[self._position].argv)

    def _end(self, error: OrchestraError | None) -> None:
        self._container.hooks = None
        self._done(error)
