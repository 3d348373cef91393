"""A person, or a pipe, in front of a command in a container: bytes both ways until it ends.

With a terminal: raw mode, window size and its changes; Ctrl-C is a byte that the container's
terminal turns into a signal. Without one: SIGINT and its like are passed on. The container gets
pipes of its own, never the caller's descriptors (see `exec.ExecRequest`).
"""

from __future__ import annotations

import contextlib
import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.linux import tty
from orchestra.named import NamedTuple
from orchestra.runtime.exec import spawn_exec
from orchestra.runtime.pump import Pump
from orchestra.runtime.signalpipe import PASSED_ON, SignalPipe

if TYPE_CHECKING:
    from orchestra.runtime.exec import ExecRequest, ExecStarted, ExecTarget
    from orchestra.runtime.process import Execution


class Streams(NamedTuple):
    """The caller's descriptors; *stdin* -1 is none."""

    stdin: int
    stdout: int = 1
    stderr: int = 2


def run_exec(
    target: ExecTarget,
    execution: Execution,
    request: ExecRequest,
    streams: Streams,
    *,
    breaks_off: bool = False,
) -> int:
    """Run it in the foreground; its exit code, 128 + N after signal N, 125 … 127 as docker exec.

    The caller's terminal is restored on every way out. Raises NotFound.
    With *breaks_off* a signal to end is not only passed on, but raises KeyboardInterrupt as well:
    the command may take it as it likes.
    """
    with ExitStack() as undo:
        signals = undo.enter_context(SignalPipe())
        pump = Pump()
        undo.callback(pump.close)
        if request.tty:
            started = spawn_exec(target, execution, request)
            _wire_terminal(pump, started.terminal, streams, undo)
        else:
            started = _spawn_with_pipes(pump, target, execution, request, streams)
        undo.callback(os.close, started.pidfd)
        _run(pump, started, streams.stdin, signals, breaks_off=breaks_off)
        _, status = os.waitpid(started.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _run(
    pump: Pump, started: ExecStarted, stdin: int, signals: SignalPipe, *, breaks_off: bool
) -> None:
    """Copy and pass signals on until the command has ended, or with *breaks_off* a signal came."""
    pump.watch(signals.fileno())
    pump.watch(started.pidfd)
    while True:
        watched = pump.step()
        if signals.fileno() in watched:
            for number in signals.read():
                _on_signal(number, started, stdin)
                if breaks_off and number in PASSED_ON:
                    raise KeyboardInterrupt
        if started.pidfd in watched:
            pump.drain()
            return


def _on_signal(number: int, started: ExecStarted, stdin: int) -> None:
    if number == signal.SIGWINCH:
        size = tty.window_size(stdin) if stdin >= 0 else None
        if started.terminal >= 0 and size is not None:
            with contextlib.suppress(OSError):  # the terminal is gone already
                tty.set_window_size(started.terminal, size)
        return
    with contextlib.suppress(ProcessLookupError):
        if number in (signal.SIGINT, signal.SIGQUIT):  # a terminal sends these to the whole group
            os.killpg(started.pid, number)
        else:
            signal.pidfd_send_signal(started.pidfd, number)


def _wire_terminal(pump: Pump, master: int, streams: Streams, undo: ExitStack) -> None:
    stdin = streams.stdin
    size = tty.window_size(stdin) if stdin >= 0 else None
    if size is not None:
        tty.set_window_size(master, size)
    pump.route(master, streams.stdout, is_output=True, owned=(master,))
    if stdin < 0:
        return
    if os.isatty(stdin):
        undo.enter_context(tty.raw_mode(stdin))
    writer = os.dup(master)
    os.set_blocking(writer, False)
    pump.route(stdin, writer, is_output=False, owned=(writer,))


def _spawn_with_pipes(
    pump: Pump,
    target: ExecTarget,
    execution: Execution,
    request: ExecRequest,
    streams: Streams,
) -> ExecStarted:
    stdin, stdout, stderr = streams
    with ExitStack() as handed_over:
        out_reader, out_writer = os.pipe2(os.O_CLOEXEC)
        handed_over.callback(os.close, out_writer)
        err_reader, err_writer = os.pipe2(os.O_CLOEXEC)
        handed_over.callback(os.close, err_writer)
        in_reader = -1
        if stdin >= 0:
            in_reader, in_writer = os.pipe2(os.O_CLOEXEC)
            handed_over.callback(os.close, in_reader)
            os.set_blocking(in_writer, False)
            pump.route(stdin, in_writer, is_output=False, owned=(in_writer,))
        pump.route(out_reader, stdout, is_output=True, owned=(out_reader,))
        pump.route(err_reader, stderr, is_output=True, owned=(err_reader,))
        return spawn_exec(
            target,
            execution,
            request._replace(stdin=in_reader, stdout=out_writer, stderr=err_writer),
        )
