"""`image prune`: remove the images that have no name, or that no container uses."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orchestra.image.store import LocalImageStore
from orchestra.image.sweep import remove_image, sweep
from orchestra.named import NamedTuple
from orchestra.ops.image_rm import Removed
from orchestra.ops.image_use import used_images

if TYPE_CHECKING:
    from orchestra.image.catalog import ImageRow
    from orchestra.layout import Layout
    from orchestra.ops.image_filters import Filters

FILTERS = ("dangling", "label", "until")


class Pruned(NamedTuple):
    """What went, and the bytes on disk that this freed."""

    removed: tuple[Removed, ...]
    freed_bytes: int


def image_prune(layout: Layout, filters: Filters) -> Pruned:
    """Remove what passes *filters*; `dangling=false` takes images with names too.

    What a container was made from stays. Leftovers of broken pulls go as well.
    """
    store = LocalImageStore(layout.images)
    used = partial(used_images, layout)
    in_use = used()
    lines: list[Removed] = []
    for row in store.catalog.images():
        if row.id in in_use or not _is_doomed(store, row, filters):
            continue
        names = store.catalog.names(row.id)
        if remove_image(store, row.id, used):
            lines += [Removed(untagged=name.reference.familiar) for name in names]
            lines.append(Removed(deleted=row.id))
    swept = sweep(store, used)
    lines += [Removed(deleted=chain) for chain in swept.layers]
    return Pruned(tuple(lines), swept.freed_bytes)


def _is_doomed(store: LocalImageStore, row: ImageRow, filters: Filters) -> bool:
    if filters.dangling is not False and store.catalog.names(row.id):
        return False
    image = store.readable(row.id)
    if image is None:  # damaged: of use to nobody
        return True
    config = image.config
    too_young = filters.until_ns is not None and config.created_ns >= filters.until_ns
    return not too_young and filters.label_match(dict(config.labels))
