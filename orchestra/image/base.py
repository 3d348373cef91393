"""What the engine and the planner ask of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orchestra.model.container import ImageId
    from orchestra.model.image import ImageConfig
    from orchestra.model.rootfs import Rootfs


class ImageStore(Protocol):
    def resolve(self, reference: str) -> ImageConfig:
        """The image that *reference* names here. Raises NotFound with the fix."""
        ...


class Snapshotter(Protocol):
    def prepare(self, image_id: ImageId, directory: str) -> Rootfs:
        """A writable layer over *image_id*, kept in *directory*; the same again if it exists."""
        ...

    def remove(self, directory: str) -> None: ...
