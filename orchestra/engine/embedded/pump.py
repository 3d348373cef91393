"""Moves a container's output from its FIFOs (or its terminal) into its log."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import time
from typing import TYPE_CHECKING

from orchestra.runtime.logs import STDERR, STDOUT, LogWriter, rotation

if TYPE_CHECKING:
    from orchestra.model.container import LogConfig
    from orchestra.network.base import EventLoop

PIPE_BYTES = 256 * 1024
"""What a writer may be ahead of us. 64 such pipes fit an unprivileged user's soft limit."""

_F_SETPIPE_SZ = 1031
_FULL_DISK_RETRY_S = 1.0
_REST_S = 0.002
"""Who writes line by line without a pause is read every so often, in fewer and larger chunks."""

_LOG = logging.getLogger(__name__)


def fifo_paths(run_dir: str) -> tuple[str, str]:
    """Where the container's stdout and stderr go."""
    return f"{run_dir}/stdout", f"{run_dir}/stderr"


def make_fifos(run_dir: str) -> None:
    """The FIFOs of a container; keeps those that are there."""
    for path in fifo_paths(run_dir):
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)


class LogPump:
    """The reading ends of one container's output, watched by the loop."""

    def __init__(self, log_dir: str, config: LogConfig, loop: EventLoop) -> None:
        """Raises OSError."""
        self._loop = loop
        self._writer = LogWriter(log_dir, rotation(config.driver, config.options))
        self._sources: dict[int, int] = {}
        self._taken_s = 0.0

    @property
    def fds(self) -> tuple[int, ...]:
        return tuple(self._sources)

    def open_fifos(self, run_dir: str) -> None:
        """Begin to read the FIFOs in *run_dir*; nobody need have them open. fifo(7)."""
        for path, stream in zip(fifo_paths(run_dir), (STDOUT, STDERR), strict=True):
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with contextlib.suppress(OSError):  # over the user's limit: the default size will do
                fcntl.fcntl(fd, _F_SETPIPE_SZ, PIPE_BYTES)
            self._add(fd, stream)

    def add_terminal(self, master: int) -> None:
        """Read a terminal's master side as stdout; the pump owns it from now on."""
        os.set_blocking(master, False)
        self._add(master, STDOUT)

    def _add(self, fd: int, stream: int) -> None:
        self._sources[fd] = stream
        self._loop.add_reader(fd, lambda: self._readable(fd))

    def _readable(self, fd: int) -> None:
        count = self._take(fd)
        if count == 0:
            self._loop.remove_reader(fd)  # ended: a hang-up stays readable for ever
            return
        now_s = time.monotonic()
        if count < PIPE_BYTES // 4 and now_s - self._taken_s < _REST_S:
            self._pause(fd, _REST_S)
        self._taken_s = now_s

    def _pause(self, fd: int, delay_s: float) -> None:
        self._loop.remove_reader(fd)
        self._loop.call_later(delay_s, lambda: self._resume(fd))

    def _resume(self, fd: int) -> None:
        if fd in self._sources:
            self._loop.add_reader(fd, lambda: self._readable(fd))

    def _take(self, fd: int) -> int:
        """The bytes moved; 0 at the end, -1 when there is nothing now."""
        try:
            return self._writer.take_from(fd, self._sources[fd])
        except BlockingIOError:
            return -1
        except OSError as exc:
            if exc.errno == errno.EIO:  # a terminal whose last slave was closed
                return 0
            if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            _LOG.warning("cannot write a log: %s", exc)
            self._pause(fd, _FULL_DISK_RETRY_S)
            return -1

    def finish(self) -> None:
        """The container is dead: move what is left, then close everything."""
        for fd in self._sources:
            self._loop.remove_reader(fd)
            while self._take(fd) > 0:
                pass
            os.close(fd)
        self._sources.clear()
        self._writer.close()
