"""How a failed step travels from a forked child to its parent, and what the user reads then.

The child knows the step, the errno and the path; it must not format much, and cannot raise across
the fork. So the failure is one frame on the sync channel, and becomes a LaunchFailed here.
"""

from __future__ import annotations

import errno
import json
import os

from orchestra.errors import LaunchFailed, OrchestraError
from orchestra.named import NamedTuple

MAX_FRAME = 8192

NOT_FOUND = 127
NOT_EXECUTABLE = 126
BEFORE_EXEC = 125


class Failure(NamedTuple):
    """*step* is a verb phrase ("mount /proc"); *text*, when set, is said instead of the errno."""

    exit_code: int
    step: str
    errno: int = 0
    path: str = ""
    text: str = ""
    fix: str = ""


class StepFailed(Exception):
    """Raised in the child for what is no OSError, or needs an exit code or fix of its own."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def failure_of(exc: Exception, step: str) -> Failure:
    """What to send to the parent for *exc* in *step*."""
    if isinstance(exc, StepFailed):
        return exc.failure
    if isinstance(exc, OrchestraError):
        return Failure(BEFORE_EXEC, step, 0, "", exc.what, exc.fix)
    if isinstance(exc, OSError):
        path = exc.filename if isinstance(exc.filename, str) else ""
        return Failure(BEFORE_EXEC, step, exc.errno or 0, path, str(exc.strerror or exc))
    return Failure(BEFORE_EXEC, step, 0, "", f"{type(exc).__name__}: {exc}")


def encode(failure: Failure) -> bytes:
    """*failure* as a frame that fits MAX_FRAME."""
    short = failure._replace(
        step=failure.step[:300], path=failure.path[:400], text=failure.text[:400]
    )
    return json.dumps(short).encode()  # at most six bytes for a character


def decode(frame: bytes) -> Failure:
    return Failure(*json.loads(frame))


def launch_failed(container: str, failure: Failure) -> LaunchFailed:
    """The error the user sees for *failure* of *container*."""
    reason = failure.text or os.strerror(failure.errno)
    place = f" ({failure.path})" if failure.path and failure.path not in failure.step else ""
    return LaunchFailed(
        f"container {container}: cannot {failure.step}{place}: {reason}",
        exit_code=failure.exit_code,
        fix=failure.fix or _FIXES.get(failure.errno, ""),
    )


_FIXES = {
    errno.EPERM: "run as root, or check what the surrounding container or sandbox allows",
    errno.ENOSPC: "free disk space, or raise the limit that was hit (inodes, mounts, namespaces: "
    "sysctl user.max_*_namespaces, fs.mount-max)",
    errno.ENODEV: "the kernel lacks this file system: load its module (modprobe overlay)",
    errno.ENOMEM: "free memory, or raise the container's memory limit",
}
