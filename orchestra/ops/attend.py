"""The caller's terminal or pipes in front of a running container's first process.

What the container writes is read from its log, as it comes and to its end; so nothing is lost when
the supervisor is killed, and nothing changes for the container when we are. What is typed goes into
its terminal or its stdin, of which the engine hands over a descriptor.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

from orchestra.engine.base import AttachInput, KillContainer, StartContainer, WaitExited, call
from orchestra.errors import Interrupted
from orchestra.linux import tty
from orchestra.named import NamedTuple
from orchestra.runtime.detachkeys import DetachKeys
from orchestra.runtime.logfollow import Changes
from orchestra.runtime.logread import Log
from orchestra.runtime.logs import STDERR
from orchestra.runtime.pump import Pump
from orchestra.runtime.signalpipe import PASSED_ON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.engine.base import Completion, Engine
    from orchestra.layout import Layout
    from orchestra.model.container import ContainerId
    from orchestra.runtime.signalpipe import SignalPipe

STDIN, STDOUT = 0, 1
MOST_INTERRUPTS = 3
"""So many SIGINTs or SIGTERMs kill: a PID 1 without handlers ignores them. pid_namespaces(7)."""

_PIPE_ROOM = select.PIPE_BUF  # a pipe that is writable takes so much without blocking. pipe(7)


class Subject(NamedTuple):
    """The container that is attended, and how."""

    project: str
    id: ContainerId
    tty: bool
    stdin: bool  # pass ours on
    signals: bool = True  # pass them on; never with a terminal, where Ctrl-C is a key
    detach_keys: bytes = b""
    is_new: bool = False  # show its output from the beginning
    starts: bool = False  # start it, once all is ready to show what it writes
    shown: tuple[int, ...] = (STDOUT, STDERR)  # the streams of the container that are wanted


class Outcome(NamedTuple):
    """*exit_code* is the container's, or ours when it goes on without us."""

    exit_code: int
    detached: bool = False


def attend(layout: Layout, engine: Engine, subject: Subject, signals: SignalPipe) -> Outcome:
    """Until the container has ended and its output is written, or the user detaches.

    The caller's terminal is restored on every way out. Raises BrokenPipeError when nobody reads
    our output any more, and EngineUnavailable.
    """
    with ExitStack() as undo:
        return _Attendance(layout, engine, subject, signals, undo).run()


def pause_of(engine: Engine, signals: SignalPipe) -> Callable[[], None] | None:
    """For `execute`: wait for an answer; Interrupted when a signal comes first."""
    fileno = _fileno_of(engine)
    if fileno is None:
        return None

    def pause() -> None:
        select.select([fileno(), signals.fileno()], [], [])
        if any(number in PASSED_ON for number in signals.read()):
            raise Interrupted("interrupted")

    return pause


def _fileno_of(engine: Engine) -> Callable[[], int] | None:
    """What is readable when *engine* has an answer; an engine in this process has none."""
    fileno: Callable[[], int] | None = getattr(engine, "fileno", None)
    return fileno


class _Attendance:
    """One poll(2) over everything; the log itself is the buffer of what we have not written yet."""

    def __init__(
        self, layout: Layout, engine: Engine, subject: Subject, signals: SignalPipe, undo: ExitStack
    ) -> None:
        self._layout = layout
        self._engine = engine
        self._subject = subject
        self._signals = signals
        self._undo = undo
        self._pump = Pump()
        undo.callback(self._pump.close)
        self._log = Log(layout.log_dir(subject.project, subject.id))
        undo.callback(self._log.close)
        self._changes = Changes()
        undo.callback(self._changes.close)
        self._keys = DetachKeys(subject.detach_keys)
        self._engine_fd = -1
        self._terminal = -1
        self._blocks: Iterator[tuple[int, bytes]] = iter(())
        self._pending = memoryview(b"")
        self._sink = -1  # where the pending bytes go
        self._exit_code: int | None = None
        self._interrupts = 0
        self._left: Outcome | None = None

    def run(self) -> Outcome:
        self._open_log()
        if self._subject.starts:
            call(self._engine, StartContainer(id=self._subject.id))
        self._exit_ticket = self._engine.submit(WaitExited(id=self._subject.id))
        self._input_ticket = -1
        if self._subject.tty or self._subject.stdin:
            self._input_ticket = self._engine.submit(AttachInput(id=self._subject.id))
        if self._subject.tty and self._subject.stdin and os.isatty(STDIN):
            self._undo.enter_context(tty.raw_mode(STDIN))
        self._pump.watch(self._signals.fileno())
        self._pump.watch(self._changes.fileno())
        self._take_answers()
        self._refill()
        while not self._is_over():
            self._step()
        return self._left or Outcome(self._exit_code or 0)

    def _is_over(self) -> bool:
        if self._left is not None:
            return True
        # everything was in the log before the end was told, so one last look is enough
        return self._exit_code is not None and self._sink < 0 and not self._refill()

    def _step(self) -> None:
        ready = self._pump.step()
        if self._sink in ready:
            self._write()
        if self._changes.fileno() in ready:
            self._changes.wait(0.0)
            self._refill()
        if self._engine_fd in ready:
            self._take_answers()
        if self._signals.fileno() in ready:
            for number in self._signals.read():
                self._on_signal(number)
        if self._keys.pressed:
            self._left = Outcome(0, detached=True)

    # -- from the container -----------------------------------------------------------------------
    def _open_log(self) -> None:
        subject = self._subject
        self._changes.add(
            "",
            self._layout.container(subject.project, subject.id),
            self._layout.log_dir(subject.project, subject.id),
        )
        if not subject.is_new:
            self._log.pass_over()

    def _refill(self) -> bool:
        """Have something to write, if there is anything; False when there is not."""
        if self._sink >= 0:
            return True
        block = self._next_block()
        if block is None:
            self._blocks = self._log.new_blocks()
            block = self._next_block()
        if block is None:
            return False
        stream, content = block
        self._pending = memoryview(content)
        self._sink = STDERR if stream == STDERR else STDOUT
        self._pump.watch(self._sink, writable=True)
        return True

    def _next_block(self) -> tuple[int, bytes] | None:
        for block in self._blocks:
            if block[0] in self._subject.shown:
                return block
        return None

    def _write(self) -> None:
        """As much as surely does not block. Raises BrokenPipeError."""
        piece = self._pending
        if not stat.S_ISREG(os.fstat(self._sink).st_mode):
            piece = piece[:_PIPE_ROOM]
        with contextlib.suppress(BlockingIOError):
            self._pending = self._pending[os.write(self._sink, piece) :]
        if not self._pending:
            self._pump.unwatch(self._sink)
            self._sink = -1
            self._refill()

    # -- to the container -------------------------------------------------------------------------
    def _open_stdin(self, writer: int) -> None:
        os.set_blocking(writer, False)
        self._pump.route(STDIN, writer, is_output=False, owned=(writer,))

    def _open_terminal(self, master: int) -> None:
        self._terminal = master
        self._undo.callback(os.close, master)
        size = tty.window_size(STDOUT)
        if size is not None and not self._subject.is_new:
            # another size first, so that a program which is on the screen draws it anew
            self._set_size(size._replace(rows=size.rows + 1))
        self._set_size(size)
        if self._subject.stdin:
            self._pump.route(
                STDIN,
                master,
                is_output=False,
                passing=self._keys.passing if self._subject.detach_keys else None,
            )

    def _set_size(self, size: tty.WindowSize | None) -> None:
        if self._terminal >= 0 and size is not None:
            with contextlib.suppress(OSError):  # it has hung up already
                tty.set_window_size(self._terminal, size)

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGWINCH:
            self._set_size(tty.window_size(STDOUT))
        elif number not in PASSED_ON:
            return
        elif self._subject.tty or not self._subject.signals:
            self._left = Outcome(128 + number, detached=True)
        else:
            self._interrupts += number in (signal.SIGINT, signal.SIGTERM)
            kills = self._interrupts >= MOST_INTERRUPTS
            name = "SIGKILL" if kills else str(number)
            self._engine.submit(KillContainer(id=self._subject.id, signal=name))
            self._watch_engine()

    # -- the engine -------------------------------------------------------------------------------
    def _take_answers(self) -> None:
        while (answer := self._engine.next_completion(0.0)) is not None:
            self._take(answer)
        self._watch_engine()

    def _take(self, answer: Completion) -> None:
        if answer.ticket == self._exit_ticket:
            if answer.error is not None:
                raise answer.error
            self._exit_code = answer.exit_code
        elif answer.ticket == self._input_ticket and answer.fds:
            open_input = self._open_terminal if self._subject.tty else self._open_stdin
            open_input(answer.fds[0])
        # else a signal for what has just ended, or its input: there is nothing to do

    def _watch_engine(self) -> None:
        """Its descriptor is another one after it has found the next supervisor."""
        fileno = _fileno_of(self._engine)
        fd = -1 if fileno is None else fileno()
        if fd != self._engine_fd:
            if self._engine_fd >= 0:
                self._pump.unwatch(self._engine_fd)
            self._pump.watch(fd)
            self._engine_fd = fd
