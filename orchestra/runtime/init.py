"""`init: true`: a PID 1 that passes signals on and reaps whatever is orphaned.

It is a fork of our own child, so it costs no program in the image and no execve; it costs memory,
since it is a Python process (docs/design/020 has the figure). It runs as the container's user
behind the container's seccomp filter, as tini does.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from orchestra.linux.command_line import set_command_line
from orchestra.linux.fds import close_all_but
from orchestra.linux.prctl import set_name
from orchestra.runtime.process import SIGNALS

if TYPE_CHECKING:
    import socket

_NOT_FORWARDED = frozenset(
    {
        signal.SIGCHLD,
        # raised by what the process itself does
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGABRT,
        signal.SIGSYS,
    }
)


def run_init(channel: socket.socket) -> None:
    """Fork; returns in the child, which executes the command. The parent stays as PID 1.

    The parent exits as the child does: its status, or 128 + N after signal N.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, SIGNALS)
    child = os.fork()
    if child == 0:
        _take_terminal()
        return
    _settle(channel)
    os._exit(_serve(child))


def _settle(channel: socket.socket) -> None:
    """Let go of what is the supervisor's: its descriptors, its name, its place in memory."""
    channel.close()
    close_all_but(())
    with contextlib.suppress(OSError):
        set_name("init")
        set_command_line("init")


def _take_terminal() -> None:
    """Be the foreground process group, so that Ctrl-C reaches the command and not PID 1."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())


def _serve(child: int) -> int:
    """Until *child* has ended; its exit code."""
    while True:
        info = signal.sigwaitinfo(SIGNALS)
        if info.si_signo not in _NOT_FORWARDED:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, info.si_signo)
            continue
        status = _reap(child)
        if status is not None:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _reap(child: int) -> int | None:
    """Reap all zombies; the wait status of *child* when it was among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = status
