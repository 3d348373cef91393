"""`images`: which image each container was made from, and how large that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.image.store import LocalImageStore
from orchestra.named import NamedTuple
from orchestra.ops.target import find_containers

if TYPE_CHECKING:
    from orchestra.layout import Layout
    from orchestra.ops.target import Target


class ImageLine(NamedTuple):
    """*size_bytes* is 0 for `host`, which takes no space of its own."""

    container: str
    repository: str
    tag: str
    image_id: str
    size_bytes: int = 0


def images(layout: Layout, target: Target) -> tuple[ImageLine, ...]:
    """A line for each container of *target*, by name. Raises NotFound for unknown services."""
    found = find_containers(layout, target, oneoffs=True)
    sizes = {image_id: _size(layout, image_id) for image_id in {each.image_id for each in found}}
    return tuple(
        sorted(
            ImageLine(
                state.name, *split_reference(state.image), state.image_id, sizes[state.image_id]
            )
            for state in found
        )
    )


def _size(layout: Layout, image_id: str) -> int:
    """Bytes of the image; 0 for `host`, and for what is not here any more."""
    image = LocalImageStore(layout.images).readable(image_id)
    return 0 if image is None else image.config.size_bytes


def split_reference(reference: str) -> tuple[str, str]:
    """Repository and tag of an image's name; the tag is "<none>" when a digest stands instead."""
    name, at, _digest = reference.partition("@")
    repository, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return repository, tag
    return name, "<none>" if at else "latest"
