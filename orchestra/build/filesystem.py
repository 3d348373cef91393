"""The file system at one point of a build: a base and the layers on top of it.

What a step writes lands in the upper directories of overlays; `harvest` makes one directory of
them, in the form of an unpacked layer.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from orchestra.image.host import HOST_IMAGE
from orchestra.image.snapshot.overlay import writable_overlay
from orchestra.model.rootfs import Rootfs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.image.manifest import Descriptor
    from orchestra.image.snapshot.host import HostSnapshotter
    from orchestra.image.store import LocalImageStore
    from orchestra.model.rootfs import OverlayMount


class BuiltLayer(NamedTuple):
    """A layer that is unpacked and whose blob is in the store."""

    diff_id: str
    blob: Descriptor


class FileSystem(NamedTuple):
    """*base* is "host" or ""; *layers* from the lowest to the topmost."""

    base: str
    layers: tuple[BuiltLayer, ...]

    @property
    def key(self) -> str:
        """The same for the same content; of the host nobody can say that."""
        return "+".join((self.base, *(layer.diff_id for layer in self.layers)))

    def with_layer(self, layer: BuiltLayer | None) -> FileSystem:
        return self if layer is None else self._replace(layers=(*self.layers, layer))


NO_FILES = FileSystem("", ())


class Mounter:
    """Plans the overlays for file systems, over the layers of *store* and the host's trees."""

    def __init__(self, store: LocalImageStore, host: HostSnapshotter) -> None:
        self._store = store
        self._host = host

    def rootfs(self, files: FileSystem, directory: str) -> Rootfs:
        """Writable overlays over *files*, whose upper directories lie in *directory*."""
        unpacked = self._store.unpacked
        layers = tuple(unpacked.path(layer.diff_id) for layer in reversed(files.layers))
        if files.base == HOST_IMAGE:
            return self._host.prepare_below(layers, directory)
        lower = layers or (unpacked.empty(),)
        overlay = writable_overlay("/", lower, os.path.join(directory, "root"))
        return Rootfs(overlays=(overlay,))


def harvest(rootfs: Rootfs) -> str:
    """One directory with everything that was written into *rootfs*, which is not mounted."""
    (root,) = (overlay for overlay in rootfs.overlays if overlay.target == "/")
    for overlay in rootfs.overlays:
        if overlay.target == "/" or not os.listdir(overlay.upper):
            continue
        place = root.upper + overlay.target
        with contextlib.suppress(FileExistsError):
            os.mkdir(place, 0o755)
        os.rename(overlay.upper, place)
    return root.upper


def remove_mount_points(rootfs: Rootfs, targets: Iterable[str]) -> None:
    """Remove the empty files and directories that were made to mount something on *targets*."""
    for target in sorted({os.path.normpath(target) for target in targets}, reverse=True):
        path = target
        while path != "/" and _remove_stub(rootfs, path):
            path = os.path.dirname(path)


def _remove_stub(rootfs: Rootfs, path: str) -> bool:
    overlay = _overlay_of(rootfs, path)
    below = path if overlay.target == "/" else path[len(overlay.target) :]
    if not below or any(os.path.lexists(lower + below) for lower in overlay.lower):
        return False
    stub = overlay.upper + below
    try:
        status = os.lstat(stub)
        if stat.S_ISDIR(status.st_mode):
            os.rmdir(stub)
        elif stat.S_ISREG(status.st_mode) and status.st_size == 0:
            os.unlink(stub)
        else:
            return False
    except OSError:
        return False  # gone, or somebody put something into it
    return True


def _overlay_of(rootfs: Rootfs, path: str) -> OverlayMount:
    """The innermost overlay that *path* lies in."""
    holding = [
        overlay
        for overlay in rootfs.overlays
        if overlay.target == "/" or path == overlay.target or path.startswith(overlay.target + "/")
    ]
    return max(holding, key=lambda overlay: len(overlay.target))


def clamp_times(directory: str, epoch_s: int) -> None:
    """Nothing in *directory* is younger than *epoch_s*: SOURCE_DATE_EPOCH."""
    limit_ns = epoch_s * 1_000_000_000
    for top, directories, files in os.walk(directory):
        for name in (*directories, *files, "."):
            path = os.path.join(top, name)
            if os.lstat(path).st_mtime_ns > limit_ns:
                os.utime(path, ns=(limit_ns, limit_ns), follow_symlinks=False)
