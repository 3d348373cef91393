"""Directories and files of a cgroup hierarchy, either version: read, write, walk, remove.

A container may have made cgroups below its own, so what lists or removes goes down the subtree.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import TYPE_CHECKING

from orchestra.errors import RuntimeFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.cgroup.settings import Setting

_GONE = frozenset({errno.ENOENT, errno.ENODEV})
_REMOVE_WITHIN_S = 2.0
_ATTEMPTS = 5


def write(path: str, value: str) -> None:
    """Write *value* in one call. Raises OSError with *path*."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)
    except OSError as exc:
        exc.filename = path
        raise


def write_unless_gone(path: str, value: str) -> None:
    """Like `write`, for a cgroup that may have been removed."""
    try:
        write(path, value)
    except OSError as exc:
        if exc.errno not in _GONE:
            raise


def read(path: str) -> str:
    """The whole file; "" when its cgroup or its controller is gone."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError as exc:
        if exc.errno in _GONE:
            return ""
        raise


def read_int(path: str) -> int:
    """The number in *path*; 0 when it is gone or "max"."""
    text = read(path).strip()
    return int(text) if text.isdecimal() else 0


def read_keyed(path: str) -> dict[str, int]:
    """A "flat keyed" file: one name and number per line."""
    pairs = (line.split() for line in read(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def apply(directory_of: dict[str, str], settings: Sequence[Setting]) -> None:
    """Write *settings* into the cgroup that each controller has in *directory_of*.

    What this kernel has no file for is left out, `missing` tells of it. Raises RuntimeFailure with
    the compose attribute when the kernel refuses a value.
    """
    for setting in settings:
        directory = directory_of.get(setting.controller)
        if directory is not None:
            _apply_one(directory, setting)


def _apply_one(directory: str, setting: Setting) -> None:
    for file, value in setting.writes:
        try:
            write(os.path.join(directory, file), value)
        except OSError as exc:
            if exc.errno in (*_GONE, errno.EOPNOTSUPP):  # a disk whose scheduler has no weights
                continue
            raise RuntimeFailure(
                f"{setting.attribute}: the kernel refused {file} = {value}: {exc.strerror}",
                fix="choose a value that this host can give (number of CPUs, memory, devices)",
            ) from exc
        return


def missing(directory_of: dict[str, str], settings: Sequence[Setting]) -> tuple[str, ...]:
    """The attributes among *settings* that have no file in *directory_of*."""
    lost = []
    for setting in settings:
        directory = directory_of.get(setting.controller)
        if directory is None or not any(
            os.path.exists(os.path.join(directory, file)) for file, _ in setting.writes
        ):
            lost.append(setting.attribute)
    return tuple(dict.fromkeys(lost))


def ignored(attributes: Sequence[str], reason: str) -> tuple[str, ...]:
    """One sentence per attribute for the user."""
    return tuple(f"{attribute} is ignored: {reason}" for attribute in attributes)


def descendants(directory: str) -> Iterator[str]:
    """The cgroups below *directory*, deepest first, then *directory* itself."""
    for child in _children(directory):
        yield from descendants(child)
    yield directory


def _children(directory: str) -> list[str]:
    try:
        # kernfs counts subdirectories in the link count: most cgroups need no listing
        if os.stat(directory).st_nlink <= 2:
            return []
        with os.scandir(directory) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as exc:
        if exc.errno in _GONE:
            return []
        raise


def pids(directory: str) -> tuple[int, ...]:
    """Every process in the subtree, as numbered in the caller's pid namespace."""
    found = []
    for cgroup in descendants(directory):
        found += [int(line) for line in read(f"{cgroup}/cgroup.procs").split() if line != "0"]
    return tuple(found)


def remove(directory: str) -> None:
    """Remove the subtree. Waits a moment for processes that are dying.

    Raises RuntimeFailure with the pids when there are living ones.
    """
    deadline = time.monotonic() + _REMOVE_WITHIN_S
    pause_s = 0.0005
    while not _try_remove(directory):
        if time.monotonic() > deadline:
            raise RuntimeFailure(
                f"cgroup {directory} cannot be removed: processes {pids(directory)} are in it",
                fix="kill these processes and run the command again",
            )
        time.sleep(pause_s)
        pause_s = min(0.05, pause_s * 2)


def _try_remove(directory: str) -> bool:
    for cgroup in descendants(directory):
        try:
            os.rmdir(cgroup)
        except FileNotFoundError:
            continue
        except OSError as exc:
            if exc.errno not in {errno.EBUSY, errno.ENOTEMPTY}:
                raise
            return False
    return True


def make(directory: str) -> None:
    """Make *directory* and what is missing above it; there already is fine.

    The levels above are shared with other projects and removed when empty, hence the new attempts.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            os.mkdir(directory)
        except FileExistsError:
            return
        except FileNotFoundError:
            with contextlib.suppress(FileNotFoundError):
                os.makedirs(os.path.dirname(directory), exist_ok=True)
        else:
            return
    os.makedirs(directory, exist_ok=True)


def remove_empty(directory: str) -> None:
    """Remove *directory* unless something is in it."""
    try:
        os.rmdir(directory)
    except OSError as exc:
        if exc.errno not in {errno.ENOENT, errno.EBUSY, errno.ENOTEMPTY}:
            raise
