"""Snapshotter for file systems that cannot hold an overlay: each container gets a whole copy.

Slow and large, but everywhere: inside a container, on NFS. Layers are merged through the same code
that unpacks archives, with deletions in place of overlayfs's marks.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.image.bytestream import ByteStream
from orchestra.image.difftar import archive_of
from orchestra.image.unpack import unpack
from orchestra.image.whiteouts import Deletions
from orchestra.linux.remove_tree import remove_tree
from orchestra.model.rootfs import OverlayMount, Rootfs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.container import ImageId

COPY = "copy"


class CopyingSnapshotter:
    """*layers_of* gives the unpacked layer directories of an image, top first."""

    def __init__(self, layers_of: Callable[[ImageId], tuple[str, ...]]) -> None:
        self._layers_of = layers_of

    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:
        copy = os.path.join(directory, "root", COPY)
        if not os.path.isdir(copy):
            draft = copy + ".draft"
            remove_tree(draft)
            os.makedirs(draft)
            os.chmod(draft, 0o755)  # noqa: S103 (a root directory is for everybody)
            for layer in reversed(self._layers_of(image_id)):
                unpack(ByteStream(archive_of(layer)), draft, Deletions())
            os.rename(draft, copy)
        return Rootfs(overlays=(OverlayMount(target="/", lower=(), upper=copy, work=""),))

    def remove(self, directory: str) -> None:
        remove_tree(directory)
