"""`container diff`: what a container has changed of its image's files."""

from __future__ import annotations

import os
import stat
from enum import Enum
from typing import TYPE_CHECKING

from orchestra.errors import Unsupported
from orchestra.linux.safe_open import safe_open
from orchestra.model.container import ImageId
from orchestra.named import NamedTuple
from orchestra.ops.container_root import image_root
from orchestra.runtime.plan_rootfs import SHM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host

_OURS = frozenset(
    {
        "/dev", "/dev/console", "/dev/mqueue", "/dev/pts", SHM, "/etc/hostname",
        "/etc/hosts", "/etc/resolv.conf", "/proc", "/sys",
    }
)  # fmt: skip
"""Places that the runtime makes to mount on; Docker does not count them either."""


class Kind(Enum):
    """The letters are those of `docker diff`."""

    ADDED = "A"
    CHANGED = "C"
    DELETED = "D"


class Change(NamedTuple):
    kind: Kind
    path: str


def container_diff(host: Host, state: ContainerState) -> tuple[Change, ...]:
    """Every file that the container added, changed or deleted, by path, and the directories above.

    Volumes and other mounts are no files of the container. Raises Unsupported where the container
    is a whole copy of its image.
    """
    snapshot = host.layout.snapshot(state.project, state.id)
    overlays = host.snapshots().prepare(ImageId(state.image_id), snapshot).overlays
    if not all(overlay.lower for overlay in overlays):
        raise Unsupported(
            f"container {state.name} is a whole copy of its image: its changes are not known",
            fix="set ORCHESTRA_DATA_ROOT to a file system that can hold overlays",
        )
    found: dict[str, Change] = {}
    with image_root(host, state) as image:
        for overlay in overlays:
            for path, is_whiteout, is_directory in _written(overlay.upper, overlay.target):
                before = _status(image.fd.fileno(), path)
                if is_whiteout:
                    if before is not None:
                        found[path] = Change(Kind.DELETED, path)
                elif before is None:
                    if path not in _OURS:
                        found[path] = Change(Kind.ADDED, path)
                elif not (is_directory and stat.S_ISDIR(before.st_mode)):
                    found[path] = Change(Kind.CHANGED, path)
    for path in tuple(found):
        for above in _above(path):
            found.setdefault(above, Change(Kind.CHANGED, above))
    return tuple(found[path] for path in sorted(found))


def _written(upper: str, target: str) -> Iterator[tuple[str, bool, bool]]:
    """(path in the container, is it a whiteout, is it a directory) of all in the layer *upper*."""
    for directory, _, _, fd in os.fwalk(upper, follow_symlinks=False):
        place = os.path.join(target, os.path.relpath(directory, upper))
        for name in os.listdir(fd):
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
            is_whiteout = stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
            path = os.path.normpath(os.path.join(place, name))
            yield path, is_whiteout, stat.S_ISDIR(status.st_mode)


def _status(root: int, path: str) -> os.stat_result | None:
    """Of *path* itself below *root*; None when it is not there."""
    directory, name = os.path.split(path)
    try:
        with safe_open(root, directory) as parent:
            return os.stat(name, dir_fd=parent.fileno(), follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _above(path: str) -> Iterator[str]:
    """The directories above *path*, without the root."""
    while (path := os.path.dirname(path)) != "/":
        yield path
