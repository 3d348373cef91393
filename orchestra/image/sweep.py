"""Removing images, and sweeping up what no image needs any more.

Several processes remove, pull and run at once. An image leaves the catalog first, from which moment
no container can be made of it; then the containers are looked at once more, and when one has been
made meanwhile the image goes back. Blobs and layers follow when nobody is bringing an image in.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from orchestra.errors import NotFound, RegistryError
from orchestra.image.config import parse_config
from orchestra.image.manifest import MAX_CONFIG_BYTES, Index, parse_manifest
from orchestra.named import NamedTuple
from orchestra.sha256 import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set

    from orchestra.image.catalog import ImageRow
    from orchestra.image.store import LocalImageStore


class Swept(NamedTuple):
    """What a sweep removed; *layers* as Docker names them, by chain id."""

    freed_bytes: int
    layers: tuple[str, ...] = ()


def remove_image(store: LocalImageStore, image_id: str, used: Callable[[], Set[str]]) -> bool:
    """Take the image and all its names out of the catalog; False when it is among *used*.

    Of an image that containers have nevertheless, `sweep` leaves what they need.
    """
    row = store.catalog.image(image_id)
    if row is None:
        return True
    names = store.catalog.names(image_id)
    store.catalog.forget(image_id)
    if image_id in used():
        store.catalog.register(row, names)
        return False
    return True


def sweep(store: LocalImageStore, used: Callable[[], Set[str]]) -> Swept:
    """Remove what no image has and nobody has pinned; nothing while an image is brought in."""
    with store.sweeping() as may_sweep:
        if not may_sweep:
            return Swept(0)
        blobs = set(store.pinned())
        layers = set(blobs)
        chains: set[str] = set()
        for row in store.catalog.images():
            blobs |= _blobs_of(store, row)
            diff_ids = _diff_ids(store, row.id)
            layers.update(diff_ids)
            chains.update(chain_ids(diff_ids))
        for image_id in used():  # of an image that was removed by force, or lost to damage
            blobs.add(image_id)
            layers.update(_diff_ids(store, image_id))
        unwanted = [digest for digest in store.blobs.all() if digest not in blobs]
        gone = dict.fromkeys(
            chain
            for digest in unwanted
            for chain in chain_ids(_diff_ids(store, digest))
            if chain not in chains
        )
        freed = store.unpacked.sweep(layers)
        freed += sum(store.blobs.remove(digest) for digest in unwanted)
        freed += store.blobs.remove_abandoned_partials()
        return Swept(freed, tuple(gone)[::-1])


def chain_ids(diff_ids: Iterable[str]) -> tuple[str, ...]:
    """The names of stacks of layers, lowest first. OCI image-spec config.md, "Layer ChainID"."""
    chains: list[str] = []
    for diff_id in diff_ids:
        if not chains:
            chains.append(diff_id)
            continue
        text = f"{chains[-1]} {diff_id}".encode()
        chains.append(f"sha256:{sha256(text).hexdigest()}")
    return tuple(chains)


def _blobs_of(store: LocalImageStore, row: ImageRow) -> set[str]:
    wanted = {row.id, row.manifest}
    with contextlib.suppress(NotFound, RegistryError):
        manifest = parse_manifest(store.blobs.read(row.manifest))
        if not isinstance(manifest, Index):
            wanted.update(layer.digest for layer in manifest.layers)
    return wanted


def _diff_ids(store: LocalImageStore, image_id: str) -> tuple[str, ...]:
    """The layers of an image by its id; none when that is no image's."""
    try:
        if store.blobs.size(image_id) > MAX_CONFIG_BYTES:
            return ()
        return parse_config(store.blobs.read(image_id)).diff_ids
    except (NotFound, RegistryError):
        return ()
