"""`image tag`: one more name for an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import Unsupported
from orchestra.image.host import HOST_IMAGE
from orchestra.image.store import LocalImageStore

if TYPE_CHECKING:
    from orchestra.layout import Layout


def image_tag(layout: Layout, source: str, target: str) -> None:
    """Call the image *source* also *target*; an image that had that name loses it.

    Raises NotFound, ConfigError for a target that is no name, Unsupported for `host`.
    """
    if source == HOST_IMAGE:
        raise Unsupported(
            "the image host has one name", fix="write `image: host` where you need it"
        )
    LocalImageStore(layout.images).tag(source, target)
