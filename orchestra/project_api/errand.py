"""One task in a fresh interpreter, for callers that may have threads.

Making containers forks, enters namespaces, takes record locks that belong to a whole process and
wants Ctrl-C for itself: nothing to do inside somebody's test run or IDE. So the caller starts an
interpreter, sends it a function with its arguments, and hears its progress and its result. The
child has a session of its own: a Ctrl-C of the terminal reaches it once, passed on by the caller.

An errand may be given a *will*: what it does when its caller is gone without a word, whatever ended
that. Both sides are one program, so what they say to each other is pickled.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from orchestra.errors import Interrupted, OrchestraError, RuntimeFailure
from orchestra.supervisor.spawn import interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Concatenate, NoReturn

    from orchestra.plan.events import Progress, Report

Given = ParamSpec("Given")
Result = TypeVar("Result")

ENDS_WITHIN_S = 20.0
"""How long an errand that was interrupted may take to undo what it is at, before it is killed."""

ABANDONED_WITHIN_S = 2.0

_LENGTH = struct.Struct(">Q")


class Errand:
    """An interpreter that waits for its task. Raises OSError when it cannot be started."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int | None = None,
    ) -> None:
        """*environ* is the child's environment. Without *stderr* it is kept for the error."""
        self._has_will = False
        with contextlib.ExitStack() as undo:
            self._channel, theirs = socket.socketpair()
            undo.callback(self._channel.close)
            self._complaints = os.memfd_create("errand", os.MFD_CLOEXEC)
            undo.callback(os.close, self._complaints)
            with theirs:
                self._child: subprocess.Popen[bytes] = subprocess.Popen(
                    [*interpreter(__name__, "attend"), str(theirs.fileno())],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=self._complaints if stderr is None else stderr,
                    pass_fds=(theirs.fileno(),),
                    env=dict(environ),
                    start_new_session=True,
                )
            undo.pop_all()

    def bequeath(
        self,
        task: Callable[Concatenate[Report, Given], object],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> None:
        """What it shall do if this process ends, or forgets it, before giving it a task.

        From then on nothing that is raised here interrupts it: a second Ctrl-C ends the wait for
        it, and not what it does.
        """
        _send(self._channel, ("will", (task, args, kwargs)))
        self._has_will = True

    def run(
        self,
        report: Report,
        task: Callable[Concatenate[Report, Given], Result],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Result:
        """Have *task* done, which both sides can import: its result, or its exception.

        Whatever is raised here meanwhile, a KeyboardInterrupt first of all, interrupts it too.
        """
        self.begin(task, *args, **kwargs)
        result: Result = self.finish(report)
        return result

    def begin(
        self,
        task: Callable[Concatenate[Report, Given], object],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> None:
        with contextlib.suppress(BrokenPipeError):  # `finish` tells why it has ended
            _send(self._channel, ("do", (task, args, kwargs)))

    def finish(self, report: Report) -> Any:
        """The result of what was begun, or its exception."""
        try:
            kind, value = self._hear(report)
        except BaseException:
            if not self._has_will:
                self.interrupt()
            raise
        finally:
            self._end()
        if kind == "failed":
            raise value
        return value

    def _hear(self, report: Report) -> tuple[str, Any]:
        while (message := _receive(self._channel)) is not None:
            if message[0] != "told":
                return message
            report(message[1])
        raise self._died()

    def interrupt(self, number: int = signal.SIGINT, *, within_s: float = ENDS_WITHIN_S) -> None:
        """Interrupt it as Ctrl-C would, and wait at most *within_s* for its end."""
        self._child.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(within_s)

    def abandon(self) -> None:
        """End it, and what it runs in a container, by SIGTERM; the answer is not wanted any more.

        A command in a container that ignores that lives on until its container stops.
        """
        self.interrupt(signal.SIGTERM, within_s=ABANDONED_WITHIN_S)
        self._child.kill()
        self._end()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    @property
    def streams(self) -> subprocess.Popen[bytes]:
        """The child, for whoever asked for pipes."""
        return self._child

    def _end(self) -> None:
        self._channel.close()
        try:
            self._child.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        os.close(self._complaints)

    def _died(self) -> RuntimeFailure:
        code = self._child.wait(ENDS_WITHIN_S)
        said = os.pread(self._complaints, 4096, 0).decode(errors="replace").strip()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        return RuntimeFailure(
            f"the process that did it for this one {how}{': ' if said else ''}{said}",
            fix="do it again: what was half done is taken up or removed",
        )


# -- the child's side ---------------------------------------------------------------------------
def attend(argv: list[str]) -> NoReturn:
    """Wait for a task on the socket argv[0], do it, answer, and end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the caller may ignore it
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    channel = socket.socket(fileno=int(argv[0]))
    channel.set_inheritable(False)
    code = 1
    try:
        will = None
        while (message := _receive(channel)) is not None:
            kind, task = message
            if kind == "do":
                _answer(channel, *task)
                break
            will = task
        else:
            if will is not None:
                task, args, kwargs = will
                task(_unheard, *args, **kwargs)
        code = 0
    except KeyboardInterrupt:
        pass
    except BaseException:  # noqa: BLE001 (the root of a process)
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(code)


def _answer(channel: socket.socket, task: Callable[..., object], args: Any, kwargs: Any) -> None:
    def report(progress: Progress) -> None:
        with contextlib.suppress(BrokenPipeError):  # the caller was killed: finish what is begun
            _send(channel, ("told", progress))

    try:
        answer = ("done", task(report, *args, **kwargs))
    except KeyboardInterrupt:
        answer = ("failed", Interrupted("interrupted"))
    except OrchestraError as exc:
        answer = ("failed", exc)
    except Exception as exc:  # noqa: BLE001 (the caller raises it)
        exc.add_note(f"in the process that did it:\n{traceback.format_exc()}")
        answer = ("failed", exc)
    with contextlib.suppress(BrokenPipeError):
        _send(channel, answer)


def _unheard(_progress: Progress) -> None:
    """Nobody is there to be told."""


# -- both sides ---------------------------------------------------------------------------------
def _send(channel: socket.socket, message: object) -> None:
    data = pickle.dumps(message)
    channel.sendall(_LENGTH.pack(len(data)) + data)


def _receive(channel: socket.socket) -> tuple[str, Any] | None:
    """The next message; None when the other side has gone."""
    header = _exactly(channel, _LENGTH.size)
    data = _exactly(channel, _LENGTH.unpack(header)[0]) if header else b""
    if not data:
        return None
    message: tuple[str, Any] = pickle.loads(data)  # noqa: S301 (from our own process)
    return message


def _exactly(channel: socket.socket, count: int) -> bytes:
    """*count* bytes; none of them when the other side ends before."""
    parts: list[bytes] = []
    while count:
        part = channel.recv(min(count, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
