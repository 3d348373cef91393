"""Rootfs: how a container's root file system is put together from layers, as data.

The image side (`image.snapshot`) computes it, the runtime's child mounts it inside the container's
own mount namespace, so no mount of ours is ever visible on the host or left behind.
"""

from __future__ import annotations

from orchestra.model.container import Frozen


class OverlayMount(Frozen, frozen=True, kw_only=True):
    """One overlay: *lower* from top to bottom, mounted on *target* below the new root ("/" first).

    An empty *lower* means: bind *upper* itself (a snapshot that was copied).
    """

    target: str
    lower: tuple[str, ...]
    upper: str
    work: str


class Rootfs(Frozen, frozen=True, kw_only=True):
    """The overlays in mount order; the first one's target is "/"."""

    overlays: tuple[OverlayMount, ...]
