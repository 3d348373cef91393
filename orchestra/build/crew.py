"""Pieces of work in processes of their own: a few at once, each when what it needs is done.

No threads: a build forks, mounts and changes its root. A piece that has nobody to work beside is
done by the caller itself. What a worker tells and gives back is pickled; both ends are one program.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import struct
import time
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar

from orchestra.errors import BuildError
from orchestra.linux.prctl import set_parent_death_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

Key = TypeVar("Key", bound="Hashable")
Tell = TypeVar("Tell")
Result = TypeVar("Result")

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16
_END_WITHIN_S = 10.0
"""What a cancelled worker has for its undoing; then it is killed."""


class Piece(NamedTuple, Generic[Key, Tell, Result]):
    """*work* is called when all of *needs* are finished, with what takes its messages.

    In a worker it is `work(tell, apart=True)`: the process is a copy, which ends with the work.
    """

    needs: tuple[Key, ...]
    work: Callable[[Callable[[Tell], None], bool], Result]


class Hearing(NamedTuple, Generic[Key, Tell, Result]):
    """Both are called in the caller's process; *finished* before anything that needs the piece."""

    told: Callable[[Key, Tell], None]
    finished: Callable[[Key, Result], None]


def carry_out(
    pieces: Mapping[Key, Piece[Key, Tell, Result]],
    hearing: Hearing[Key, Tell, Result],
    *,
    at_once: int,
) -> None:
    """Do all *pieces*, at most *at_once* at the same time. The caller has no threads.

    Raises what the first piece that fails raises, when the others have been cancelled and ended.
    """
    order = TopologicalSorter({key: piece.needs for key, piece in pieces.items()})
    order.prepare()
    ready: list[Key] = []
    with _Workers(hearing) as workers:
        while order.is_active():
            ready += order.get_ready()
            if len(ready) == 1 and not workers.count:
                key = ready.pop()
                result = pieces[key].work(_teller(hearing, key), False)  # noqa: FBT003 (a Callable)
                hearing.finished(key, result)
                order.done(key)
                continue
            while ready and workers.count < at_once:
                key = ready.pop(0)
                workers.begin(key, pieces[key])
            order.done(*workers.wait())


def _teller(hearing: Hearing[Key, Tell, Result], key: Key) -> Callable[[Tell], None]:
    return lambda message: hearing.told(key, message)


class _Worker(NamedTuple, Generic[Key]):
    key: Key
    pid: int
    received: bytearray


class _Workers(Generic[Key, Tell, Result]):
    """The running workers; leaving the context ends those that are left."""

    def __init__(self, hearing: Hearing[Key, Tell, Result]) -> None:
        self._hearing = hearing
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, _Worker[Key]] = {}

    def __enter__(self) -> _Workers[Key, Tell, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._cancel()
        finally:
            for pipe, worker in list(self._workers.items()):
                os.kill(worker.pid, signal.SIGKILL)
                self._forget(pipe)
            self._selector.close()

    @property
    def count(self) -> int:
        return len(self._workers)

    def begin(self, key: Key, piece: Piece[Key, Tell, Result]) -> None:
        import pickle  # noqa: F401 (here, not once in each worker)

        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            for other in (read_end, *self._workers):
                os.close(other)
            _be_worker(piece, write_end, parent)
        os.close(write_end)
        self._workers[read_end] = _Worker(key, pid, bytearray())
        self._selector.register(read_end, selectors.EVENT_READ)

    def wait(self) -> tuple[Key, ...]:
        """The pieces that are finished meanwhile; at least one message has come."""
        return tuple(
            worker.key
            for ready, _ in self._selector.select()
            if (worker := self._take(ready.fd)) is not None
        )

    def _take(self, pipe: int) -> _Worker[Key] | None:
        """Hand on what has come; the worker when that was its result."""
        worker = self._workers[pipe]
        data = os.read(pipe, _CHUNK)
        if not data:
            status = self._forget(pipe)
            raise BuildError(f"a process of the build has ended: {_cause(status)}")
        worker.received.extend(data)
        for kind, value in _frames(worker.received):
            if kind == "told":
                self._hearing.told(worker.key, value)
                continue
            self._forget(pipe)
            if kind == "failed":
                raise value
            self._hearing.finished(worker.key, value)
            return worker
        return None

    def _forget(self, pipe: int) -> int:
        """Its wait status."""
        worker = self._workers.pop(pipe)
        self._selector.unregister(pipe)
        os.close(pipe)
        return os.waitpid(worker.pid, 0)[1]

    def _cancel(self) -> None:
        """Ask the workers to undo what they are at, and hear how that goes."""
        for worker in self._workers.values():
            os.kill(worker.pid, signal.SIGTERM)
        deadline_s = time.monotonic() + _END_WITHIN_S
        while self._workers and (left_s := deadline_s - time.monotonic()) > 0:
            for ready, _ in self._selector.select(left_s):
                with contextlib.suppress(Exception, KeyboardInterrupt):  # theirs; ours is raised
                    self._take(ready.fd)


def _be_worker(
    piece: Piece[Key, Tell, Result], pipe: int, parent: int
) -> NoReturn:  # pragma: no cover (a process that ends by _exit)
    """Ctrl-C reaches all processes of a terminal: who ends this one is its parent alone."""
    import pickle

    def send(kind: str, value: object) -> None:
        data = pickle.dumps((kind, value))
        rest = memoryview(_LENGTH.pack(len(data)) + data)
        while rest:
            rest = rest[os.write(pipe, rest) :]

    code = 1
    try:
        signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which execve(2) keeps
        signal.signal(signal.SIGTERM, _cancelled)
        set_parent_death_signal(signal.SIGKILL)
        if os.getppid() == parent:
            send("done", piece.work(lambda message: send("told", message), True))  # noqa: FBT003
            code = 0
    except Exception as exc:  # noqa: BLE001 (the root of a process; the caller raises it)
        send("failed", exc)
    except KeyboardInterrupt:
        pass
    finally:
        os._exit(code)


def _cancelled(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the undoing is not to be disturbed
    raise KeyboardInterrupt


def _frames(received: bytearray) -> list[tuple[str, Any]]:
    """Take the whole frames out of *received*."""
    import pickle

    found = []
    while len(received) >= _LENGTH.size:
        end = _LENGTH.size + _LENGTH.unpack_from(received)[0]
        if len(received) < end:
            break
        found.append(pickle.loads(received[_LENGTH.size : end]))  # noqa: S301 (our own process)
        del received[:end]
    return found


def _cause(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit code {code}"
