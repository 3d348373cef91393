"""Work on many files by two processes: ours, and one forked from it for the second half.

Most of the work is the kernel's, file by file, and a process of ours can be in one call only. The
forked process imports nothing, as its root may be an image's, and tells only what went wrong.
"""

from __future__ import annotations

import marshal
import os
import signal
import traceback
from typing import TYPE_CHECKING, TypeVar

from orchestra.linux.prctl import set_parent_death_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

T = TypeVar("T")

_FILE_BYTES = 1 << 15
"""A file costs as much as so many bytes."""
_WORTH_BYTES = 500 * _FILE_BYTES
"""A fork of this interpreter takes as long as 100 files."""


def in_halves(
    work: Callable[[Sequence[T]], None],
    items: Sequence[T],
    size: Callable[[T], int],
    failure: type[ValueError],
) -> None:
    """Do *work* on *items*, of which each has *size* bytes. The caller has no threads.

    Raises what *work* raises, which is OSError or *failure*; then neither half goes on.
    """
    middle = _middle([size(item) + _FILE_BYTES for item in items])
    if not middle or len(os.sched_getaffinity(0)) == 1:
        work(items)
        return
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _be_second(lambda: work(items[middle:]), write_end, parent)
    os.close(write_end)
    try:
        work(items[:middle])
        with open(read_end, "rb", closefd=False) as pipe:
            answer = pipe.read()
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(read_end)
        _, status = os.waitpid(pid, 0)
    if answer:
        number, text, path = marshal.loads(answer)  # noqa: S302 (from our own process)
        raise OSError(number, text, path) if number else failure(text)
    if status:
        raise failure("a process that did half of the work was killed")


def _middle(costs: list[int]) -> int:
    """How many of the first items make half of the *costs*; 0 where that is not worth a fork."""
    left = sum(costs)
    if left < _WORTH_BYTES or len(costs) < 2:
        return 0
    half, count = left // 2, 0
    while left > half:
        left -= costs[count]
        count += 1
    return min(count, len(costs) - 1)


def _be_second(
    work: Callable[[], None], answer: int, parent: int
) -> NoReturn:  # pragma: no cover (a process that ends by _exit)
    code = 1
    try:
        set_parent_death_signal(signal.SIGKILL)
        if os.getppid() == parent:
            work()
            code = 0
    except OSError as exc:
        what = (exc.errno or 0, exc.strerror or str(exc), exc.filename)
        os.write(answer, marshal.dumps(what))
    except ValueError as exc:
        os.write(answer, marshal.dumps((0, str(exc), None)))
    except BaseException:  # noqa: BLE001 (the root of a forked process)
        os.write(answer, marshal.dumps((0, traceback.format_exc(), None)))
    finally:
        os._exit(code)
