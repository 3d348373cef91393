"""Locks that belong to a name in a directory: flock(2) on a file that is still there."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def open_locked(path: str, *, wait: bool = True) -> int:
    """*path*, made if needed, open and locked for this process alone; closing it unlocks.

    Whoever holds the lock may unlink or rename the file: those who waited for it begin anew.
    Raises BlockingIOError when somebody else has it and *wait* is off.
    """
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), os.stat(path)):
                    return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold the lock of the name *path*; its file is gone afterwards."""
    fd = open_locked(path)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.close(fd)


@contextlib.contextmanager
def locked_directory(path: str) -> Iterator[None]:
    """Hold the lock of the directory *path*, made if needed, which stays afterwards."""
    while True:
        os.makedirs(path, 0o700, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), os.stat(path)):
                    os.utime(path)  # so that pruning can tell what is used
                    yield
                    return
        finally:
            os.close(fd)
