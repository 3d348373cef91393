"""The snapshotter that an engine holds: sends each image to the one that knows its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.image.host import HOST_IMAGE
from orchestra.linux.remove_tree import remove_tree

if TYPE_CHECKING:
    from orchestra.image.base import Snapshotter
    from orchestra.model.container import ImageId
    from orchestra.model.rootfs import Rootfs


class ImageSnapshotter:
    """*host* serves `image: host`, *layered* every other image."""

    def __init__(self, host: Snapshotter, layered: Snapshotter) -> None:
        self._host = host
        self._layered = layered

    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:
        chosen = self._host if image_id == HOST_IMAGE else self._layered
        return chosen.prepare(image_id, directory)

    def remove(self, directory: str) -> None:
        remove_tree(directory)
