"""Where a build works: a directory of its own, which is swept when its build was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Self

from orchestra.linux.block_groups import spread_subdirectories
from orchestra.linux.remove_tree import remove_tree

if TYPE_CHECKING:
    from types import TracebackType

    from orchestra.layout import Layout


class Workplace:
    """A context manager; *path* is the directory, locked with flock(2) as long as we live.

    *is_alone*: no other build was at work when this one began.
    """

    def __init__(self, layout: Layout, name: str = "work") -> None:
        """*name* is that of the directory of all workplaces of a kind."""
        self.is_alone = False
        self._top = os.path.join(layout.builds, name)
        self.path = os.path.join(self._top, os.urandom(6).hex())
        self._lock = -1
        self._count = 0

    def __enter__(self) -> Self:
        os.makedirs(self._top, 0o700, exist_ok=True)
        self._sweep()
        os.mkdir(self.path, 0o700)
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # What earlier steps have left behind makes new files slow: see `Layers._make_directory`.
        spread_subdirectories(self._lock)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        remove_tree(self.path)
        os.close(self._lock)

    def directory(self, name: str) -> str:
        """A new directory below ours; forked processes may ask, too."""
        self._count += 1
        path = os.path.join(self.path, f"{os.getpid()}-{self._count}-{name}")
        os.mkdir(path, 0o700)
        return path

    def _sweep(self) -> None:
        """Remove what killed builds have left."""
        alive = False
        for name in os.listdir(self._top):
            path = os.path.join(self._top, name)
            with contextlib.suppress(FileNotFoundError):
                fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    alive = True
                else:
                    remove_tree(path)
                finally:
                    os.close(fd)
        self.is_alone = not alive
