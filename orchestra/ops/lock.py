"""The project lock: one command at a time changes a project, the next one waits and says for whom.

A POSIX record lock and not flock(2): the supervisor is forked while the lock is held, and a record
lock stays with the process that took it, so that it also ends with it. See fcntl(2).
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestra.errors import PermissionDenied
from orchestra.plan.events import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.layout import Layout
    from orchestra.plan.events import Report


@contextmanager
def project_lock(layout: Layout, project: str, *, command: str, report: Report) -> Iterator[None]:
    """Hold the lock of *project*; *command* is what another one is told that waits.

    Raises PermissionDenied when the run directory cannot be written.
    """
    descriptor = _acquire(layout, project, report)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {command}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _acquire(layout: Layout, project: str, report: Report) -> int:
    path = layout.lock(project)
    while True:
        try:
            for directory in (layout.data_root, layout.run_root, layout.run(project)):
                os.makedirs(directory, mode=0o700, exist_ok=True)  # whose content is the owner's
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as exc:
            raise PermissionDenied(
                f"cannot write {exc.filename}: {exc.strerror}", fix="run it as root"
            ) from exc
        except FileNotFoundError:
            continue  # `down` of another process has just removed the directory
        try:
            _wait_for(descriptor, project, report)
            if _is_still(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait_for(descriptor: int, project: str, report: Report) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid, _, command = os.pread(descriptor, 4096, 0).decode(errors="replace").partition(" ")
        holder = f"`{command.strip()}` (pid {pid})" if command else "another command"
        report(Progress("", Phase.WARNING, f'Waiting for {holder} to finish with "{project}"'))
        fcntl.lockf(descriptor, fcntl.LOCK_EX)


def _is_still(path: str, descriptor: int) -> bool:
    """Is the locked file the one that others will find at *path*?"""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
