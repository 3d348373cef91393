"""`image: host`: the operating system of the host as a read-only image, without its secrets."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from orchestra.image import host_layers, host_scan
from orchestra.image.host_secrets import NAMED_IN, PUBLIC_TREES_SECRETS, is_hidden
from orchestra.model.container import ImageId
from orchestra.model.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.image.host_layers import HostTree

HOST_IMAGE = ImageId("host")

BASE_LABEL = "io.orchestra.base"
"""A label with the value "host": the image was built FROM host, its layers lie on the host's trees.

So it runs on the machine that built it, and cannot be pushed.
"""

HOST_CONFIG = ImageConfig(
    id=HOST_IMAGE,
    command=("/bin/sh",),
    env=(("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),),
    cwd="/",
)

_KEPT_SCANS = {"opt": ("opt",), "usr": ("usr/local", "usr/etc")}
_BURST_S = 0.5
"""Containers started together share one look at the host: `up` of fifty needs one scan."""


class HostImage:
    """The layers of the host as they should be for a container that starts now."""

    def __init__(
        self,
        directory: str,
        *,
        host_root: str = "/",
        mountinfo_path: str = "/proc/self/mountinfo",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*directory* keeps layers and findings; it must lie outside of the trees shown."""
        self._directory = directory
        self._host_root = host_root
        self._mountinfo_path = mountinfo_path
        self._clock = clock
        self._latest: tuple[float, tuple[HostTree, ...]] | None = None

    def trees(self) -> tuple[HostTree, ...]:
        """Each directory of the host that is shown, as layers; "/" comes first."""
        now = self._clock()
        if self._latest is not None and 0 <= now - self._latest[0] < _BURST_S:
            return self._latest[1]
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        layers = os.path.join(self._directory, "layers")
        trees = host_layers.build(self._host_root, layers, self._hidden())
        self._latest = (now, trees)
        return trees

    def _hidden(self) -> tuple[str, ...]:
        with open(self._mountinfo_path) as file:
            mountinfo = file.read()
        hidden: list[str] = []
        for tree in host_layers.TREES:
            path = os.path.join(self._host_root, tree)
            if os.path.islink(path) or not os.path.isdir(path):
                continue
            if is_hidden(tree, os.stat(path).st_mode):
                hidden.append(tree)
                continue
            mounts = host_scan.mount_points_below(tree, self._host_root, mountinfo)
            hidden += self._hidden_in(tree, mounts)
        hidden += [path for path in PUBLIC_TREES_SECRETS if self._exists(path)]
        return tuple(dict.fromkeys(hidden))

    def _hidden_in(self, tree: str, mounts: tuple[str, ...]) -> list[str]:
        """What to hide below the one *tree*, scanned in the way that suits it."""
        if tree == NAMED_IN:
            return list(host_scan.scan(self._host_root, tree, mounts).hidden)
        hidden: list[str] = []
        if tree != "opt":
            hidden += host_scan.closed_directories(self._host_root, tree, mounts)
        for scanned in _KEPT_SCANS.get(tree, ()):
            if scanned not in hidden and self._exists(scanned):
                below = tuple(path for path in mounts if path.startswith(scanned + "/"))
                hidden += self._finding(scanned, below).hidden
        return hidden

    def _exists(self, path: str) -> bool:
        return os.path.lexists(os.path.join(self._host_root, path))

    def _finding(self, tree: str, mounts: tuple[str, ...]) -> host_scan.Finding:
        kept_in = os.path.join(self._directory, f"hidden-{tree.replace('/', '-')}.json")
        finding = host_scan.read_finding(kept_in)
        if finding is None or not host_scan.is_still_good(finding, self._host_root, mounts):
            finding = host_scan.scan(self._host_root, tree, mounts)
            host_scan.write_finding(kept_in, finding)
        return finding
