"""Resource limits of this process and of others. setrlimit(2), prlimit(2)."""

from __future__ import annotations

import contextlib
import os
import resource

from orchestra.named import NamedTuple

NUMBERS = {
    name.removeprefix("RLIMIT_").lower(): getattr(resource, name)
    for name in dir(resource)
    if name.startswith("RLIMIT_") and name != "RLIMIT_OFILE"  # NOFILE under an old name
}
"""By their names in lower case, as compose has them: "nofile"."""


class OpenFiles(NamedTuple):
    """How many files a process may have open; -1 is unlimited."""

    soft: int
    hard: int


def open_files_of_parent() -> OpenFiles:
    """The parent's limit; our own where it is not ours to look at.

    A supervisor raises its own. Its parent, the reaper, keeps that of whoever started the project,
    which is what the containers get.
    """
    with contextlib.suppress(OSError):
        return OpenFiles(*resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE))
    return OpenFiles(*resource.getrlimit(resource.RLIMIT_NOFILE))


def set_open_files(soft: int) -> None:
    """Set the soft limit, as far as the hard one lets us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def raise_open_files() -> None:
    """Have as many files open as the hard limit allows."""
    set_open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def differing_limits(pid: int) -> tuple[tuple[str, int, int], ...]:
    """(name, soft, hard) of the limits of process *pid* that are not ours; none when it is gone."""
    with contextlib.suppress(OSError):
        theirs = {name: resource.prlimit(pid, number) for name, number in NUMBERS.items()}
        return tuple(
            (name, soft, hard)
            for name, (soft, hard) in theirs.items()
            if (soft, hard) != resource.getrlimit(NUMBERS[name])
        )
    return ()
