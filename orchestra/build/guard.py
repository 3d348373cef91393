"""A process that outlives a killed build and kills what that has started.

A build has no supervisor. Its containers' first processes are told to the guard, which keeps a
pidfd of each; when the build's end of the pipe closes, whatever is left is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Self

from orchestra.linux.fds import close_all_but

if TYPE_CHECKING:
    from types import TracebackType


class Guard:
    """A context manager; the caller has no threads. There is no process before it is needed."""

    def __init__(self) -> None:
        self._pipe = -1
        self._pid = -1

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        """Before the first process is started. In a forked process it is that one's own guard."""
        if self._pid > 0:
            return
        read_end, self._pipe = os.pipe2(os.O_CLOEXEC)
        self._pid = os.fork()
        if self._pid == 0:
            close_all_but((read_end,))
            _watch(read_end)
        os.close(read_end)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pid > 0:
            os.close(self._pipe)
            os.waitpid(self._pid, 0)

    def watch(self, pid: int) -> None:
        os.write(self._pipe, b"+%d\n" % pid)

    def forget(self, pid: int) -> None:
        os.write(self._pipe, b"-%d\n" % pid)


def _watch(pipe: int) -> None:
    """Until the pipe closes; never returns."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[bytes, int] = {}
    with open(pipe, "rb") as lines:
        for line in lines:
            pid = line[1:].strip()
            if line.startswith(b"+"):
                with contextlib.suppress(ProcessLookupError):
                    watched[pid] = os.pidfd_open(int(pid))
            elif pid in watched:
                os.close(watched.pop(pid))
    for pidfd in watched.values():
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os._exit(0)
