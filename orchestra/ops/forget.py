"""What a project with a name for once leaves below the run root, removed: tests make thousands.

`down` keeps lock and event files, since other commands may be at them, and there are as many as
projects. A name that was made up for one run comes never again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from orchestra.ops.projectfile import may_have_resources

if TYPE_CHECKING:
    from orchestra.layout import Layout

SUPERVISOR_ENDS_WITHIN_S = 3.0
_LOOK_AGAIN_S = 0.005


def forget(layout: Layout, project: str) -> None:
    """Remove the files of *project*, which is down; nothing, if it or its supervisor lives on."""
    if may_have_resources(layout, project) or not _has_ended(layout.supervisor_lock(project)):
        return
    for path in (
        layout.events(project),
        layout.boot(project),
        layout.supervisor_pid(project),
        layout.supervisor_lock(project),
        layout.lock(project),
    ):
        with contextlib.suppress(OSError):
            os.unlink(path)
    with contextlib.suppress(OSError):
        os.rmdir(layout.run(project))


def _has_ended(supervisor_lock: str) -> bool:
    """Wait for the supervisor, which ends with its last container and client. Bounded."""
    try:
        descriptor = os.open(supervisor_lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    deadline_s = time.monotonic() + SUPERVISOR_ENDS_WITHIN_S
    try:
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError):
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            time.sleep(_LOOK_AGAIN_S)
    finally:
        os.close(descriptor)
    return False
