"""The snapshotter that an engine holds: sends each image to the one that knows its kind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from orchestra.image.host import HOST_IMAGE
from orchestra.image.snapshot.overlay import OverlaySnapshotter
from orchestra.image.snapshot.upper import UpperCheck
from orchestra.linux.remove_tree import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.image.base import Snapshotter
    from orchestra.image.snapshot.host import HostSnapshotter
    from orchestra.model.container import ImageId
    from orchestra.model.rootfs import Rootfs


class Layered(Protocol):
    """The store, as far as it tells what an image consists of."""

    def require(self, image_id: ImageId) -> None:
        """Raises NotFound when there is no such image, or no more."""
        ...

    def layers(self, image_id: ImageId) -> tuple[str, ...]:
        """Its unpacked layers, top first. Raises NotFound."""
        ...

    def lies_on_host(self, image_id: ImageId) -> bool:
        """Was it built FROM host? Raises NotFound."""
        ...


class LayeredSnapshotter:
    """Overlays where the file system can hold a writable layer, else whole copies."""

    def __init__(self, layers_of: Callable[[ImageId], tuple[str, ...]]) -> None:
        self._layers_of = layers_of
        self._upper = UpperCheck()
        self._overlay = OverlaySnapshotter(layers_of)

    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:
        os.makedirs(directory, 0o700, exist_ok=True)
        if self._upper.is_suitable(directory):
            return self._overlay.prepare(image_id, directory)
        from orchestra.image.snapshot.copying import CopyingSnapshotter  # rare, and imports much

        return CopyingSnapshotter(self._layers_of).prepare(image_id, directory)

    def remove(self, directory: str) -> None:
        remove_tree(directory)


class ImageSnapshotter:
    """*host* serves `image: host` and what was built on it, *layered* every other image."""

    def __init__(self, host: HostSnapshotter, layered: Snapshotter, images: Layered) -> None:
        self._host = host
        self._layered = layered
        self._images = images

    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:
        if image_id == HOST_IMAGE:
            return self._host.prepare(image_id, directory)
        if not os.path.isdir(directory):  # new containers need the image, others what is left of it
            self._images.require(image_id)
        if self._images.lies_on_host(image_id):
            return self._host.prepare_below(self._images.layers(image_id), directory)
        return self._layered.prepare(image_id, directory)

    def remove(self, directory: str) -> None:
        remove_tree(directory)
