"""Snapshotter of images whose layers are unpacked directories: one overlay on "/"."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from orchestra.image.snapshot.upper import UpperCheck
from orchestra.linux.remove_tree import remove_tree
from orchestra.model.rootfs import OverlayMount, Rootfs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import ImageId


_ROOT = "root"


def writable_overlay(target: str, lower: tuple[str, ...], directory: str) -> OverlayMount:
    """An overlay over *lower* (top first) with its writable layer in *directory*, made if needed.

    The upper directory takes the attributes of the topmost lower one, since overlayfs shows its.
    """
    upper = os.path.join(directory, "upper")
    work = os.path.join(directory, "work")
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(directory, 0o700)
    if not os.path.isdir(upper):
        # renamed into place, so that a crash never leaves an upper with the wrong attributes
        draft = upper + ".draft"
        os.makedirs(draft, exist_ok=True)
        status = os.stat(lower[0])
        os.chown(draft, status.st_uid, status.st_gid)
        os.chmod(draft, stat.S_IMODE(status.st_mode))
        os.rename(draft, upper)
    os.makedirs(work, 0o700, exist_ok=True)
    return OverlayMount(target=target, lower=lower, upper=upper, work=work)


def written_layer(directory: str) -> str:
    """What a container of an `OverlaySnapshotter` that keeps it in *directory* has written."""
    return os.path.join(directory, _ROOT, "upper")


class OverlaySnapshotter:
    """*layers_of* gives the unpacked layer directories of an image, top first.

    It raises NotFound for an image that is not there.
    """

    def __init__(self, layers_of: Callable[[ImageId], tuple[str, ...]]) -> None:
        self._layers_of = layers_of
        self._upper = UpperCheck()

    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:
        layers = self._layers_of(image_id)
        os.makedirs(directory, 0o700, exist_ok=True)
        self._upper.require(directory)
        overlay = writable_overlay("/", layers, os.path.join(directory, _ROOT))
        return Rootfs(overlays=(overlay,))

    def remove(self, directory: str) -> None:
        remove_tree(directory)
