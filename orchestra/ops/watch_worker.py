"""`up --watch`: the watch in a process of its own, which can be started and stopped at any time.

So logs go on, and keys and Ctrl-C count, while an image is built; and ending the watch is ending
that process. It ends with its parent as well.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from orchestra.errors import OrchestraError
from orchestra.linux.fds import close_all_but
from orchestra.linux.prctl import set_parent_death_signal
from orchestra.ops.watch import Listener, watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import NoReturn

    from orchestra.model.project import Project
    from orchestra.ops.host import Host
    from orchestra.ops.watch import WatchOptions

_PATIENCE_S = 10.0
_BUSY, _IDLE = b"b", b"i"


class WatchWorker:
    """The parent's side. *lines* are what a person should read, one by one."""

    def __init__(self, host: Host, project: Project, options: WatchOptions) -> None:
        """Fork. The caller must have no threads."""
        text, text_writer = os.pipe2(os.O_CLOEXEC)
        status, status_writer = os.pipe2(os.O_CLOEXEC)
        self._text, self._status = text, status
        self._rest = b""
        self.is_busy = False  # containers are being replaced or restarted
        self.has_ended = False
        self._pid = os.fork()
        if self._pid == 0:
            _Worker(text_writer, status_writer).run(host, project, options)
        os.close(text_writer)
        os.close(status_writer)
        os.set_blocking(text, False)
        os.set_blocking(status, False)

    def filenos(self) -> tuple[int, ...]:
        """Readable when `lines` has something to say."""
        return () if self.has_ended else (self._text, self._status)

    def lines(self) -> Iterator[str]:
        """What has been said since; never waits."""
        if self.has_ended:
            return
        status, _ = _read(self._status)
        if status:
            self.is_busy = status.endswith(_BUSY)
        block, is_over = _read(self._text)
        *whole, self._rest = (self._rest + block).split(b"\n")
        if is_over and self._rest:
            whole.append(self._rest)
        for line in whole:
            yield line.decode(errors="replace")
        if is_over:
            self._reap()

    def stop(self) -> Iterator[str]:
        """End it, and what it said last. A step under way is broken off."""
        if self.has_ended:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_S
        while not self.has_ended:
            left = deadline - time.monotonic()
            if left <= 0:
                os.kill(self._pid, signal.SIGKILL)
                left = _PATIENCE_S
                deadline += left
            select.select([self._text], [], [], left)
            yield from self.lines()

    def _reap(self) -> None:
        self.has_ended, self.is_busy = True, False
        os.close(self._text)
        os.close(self._status)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _read(fd: int) -> tuple[bytes, bool]:
    """All that is there, and whether it is the end."""
    content = b""
    while True:
        try:
            block = os.read(fd, 65536)
        except BlockingIOError:
            return content, False
        if not block:
            return content, True
        content += block


class _Worker:
    """The child's side: its stdout and stderr are the pipe, for commands in containers too."""

    def __init__(self, text: int, status: int) -> None:
        self._text = text
        self._status = status

    def run(self, host: Host, project: Project, options: WatchOptions) -> NoReturn:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a key at the terminal is our parent's
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, _interrupt)
            set_parent_death_signal(signal.SIGTERM)
            os.dup2(self._text, 1)
            os.dup2(self._text, 2)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            close_all_but((0, 1, 2, self._status))
            with contextlib.suppress(KeyboardInterrupt):
                watch(host, project, options, Listener(_say, _warn, self._begin, self._end))
        except OrchestraError as exc:
            _warn(str(exc))
        except Exception as exc:  # noqa: BLE001 (the root of a forked process)
            _warn(f"{type(exc).__name__}: {exc}")
        os._exit(0)

    def _begin(self) -> None:
        os.write(self._status, _BUSY)

    def _end(self) -> None:
        os.write(self._status, _IDLE)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode(errors="replace"))


def _warn(text: str) -> None:
    _say(f"warning: {text}")
