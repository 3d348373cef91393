"""How much a container has written, and how much that is with its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.image.store import LocalImageStore
from orchestra.ops.system_df import written_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState


def container_sizes(layout: Layout, states: Iterable[ContainerState]) -> dict[str, tuple[int, int]]:
    """By id: bytes written, and with the image's. `image: host` takes no room of its own."""
    store = LocalImageStore(layout.images)
    found = {}
    for state in states:
        written = written_bytes(layout, state)
        try:
            image = store.resolve(state.image_id).size_bytes
        except NotFound:  # it has been removed by force
            image = 0
        found[state.id] = (written, written + image)
    return found
