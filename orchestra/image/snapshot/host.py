"""Snapshotter of `image: host`: one writable overlay for each directory shown of the host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.image.snapshot.overlay import writable_overlay
from orchestra.image.snapshot.upper import UpperCheck
from orchestra.linux.remove_tree import remove_tree
from orchestra.model.rootfs import Rootfs

if TYPE_CHECKING:
    from orchestra.image.host import HostImage
    from orchestra.model.container import ImageId


class HostSnapshotter:
    """Overlays do not cross mounts, so each host directory has one of its own.

    The masks are computed anew each time, also for a container that starts again: its writable
    layer stays, and what became secret on the host meanwhile disappears. Hence the overlays must be
    mounted with `index=off`, which allows the lower layers to change between mounts.
    """

    def __init__(self, image: HostImage) -> None:
        self._image = image
        self._upper = UpperCheck()

    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:  # noqa: ARG002 (there is one)
        return self.prepare_below((), directory)

    def prepare_below(self, layers: tuple[str, ...], directory: str) -> Rootfs:
        """The host's trees with *layers*, unpacked ones from the top, above each of them."""
        os.makedirs(directory, 0o700, exist_ok=True)
        self._upper.require(directory)
        return Rootfs(
            overlays=tuple(
                writable_overlay(
                    tree.target,
                    (*_parts(layers, tree.target), *tree.lower),
                    os.path.join(directory, tree.target.strip("/") or "root"),
                )
                for tree in self._image.trees()
            )
        )

    def remove(self, directory: str) -> None:
        remove_tree(directory)


def _parts(layers: tuple[str, ...], target: str) -> tuple[str, ...]:
    """The directory *target* of each layer that has it."""
    paths = (layer + target.rstrip("/") for layer in layers)
    return tuple(path for path in paths if os.path.isdir(path) and not os.path.islink(path))
