"""Tells whether a file system can hold the writable layer of an overlay. overlayfs, kernel docs.

It needs extended attributes and whiteouts, and must not be an overlay itself: the case of a
container that runs orchestra inside. mount(2) would only say "Invalid argument".
"""

from __future__ import annotations

import os

from orchestra.errors import Unsupported

_UNSUITABLE = frozenset(
    {"overlay", "aufs", "nfs", "nfs4", "cifs", "smb3", "vfat", "exfat", "9p", "hostfs", "ecryptfs"}
)


def filesystem_type(device: int, mountinfo: str) -> str:
    """The type of the file system with st_dev *device*; "" when no mount has it (btrfs)."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ", 3)
        if len(fields) > 2 and fields[2] == wanted:
            return right.partition(" ")[0]
    return ""


class UpperCheck:
    """Remembers the file system that it found good, so that it looks once."""

    def __init__(self, mountinfo_path: str = "/proc/self/mountinfo") -> None:
        self._mountinfo_path = mountinfo_path
        self._good_device = -1

    def is_suitable(self, directory: str) -> bool:
        """Can the existing *directory* hold a writable layer?"""
        return not self._unsuitable_kind(directory)

    def require(self, directory: str) -> None:
        """Raises Unsupported when the existing *directory* cannot hold a writable layer."""
        kind = self._unsuitable_kind(directory)
        if kind:
            raise Unsupported(
                f"{directory} lies on {kind}, which cannot hold the writable layer of a container",
                fix="set ORCHESTRA_DATA_ROOT to a directory on ext4, xfs, btrfs or tmpfs; inside a "
                "container that is a volume or a tmpfs of it",
            )

    def _unsuitable_kind(self, directory: str) -> str:
        """The type of its file system, or "" when that is suitable."""
        device = os.stat(directory).st_dev
        if device == self._good_device:
            return ""
        with open(self._mountinfo_path, encoding="utf-8", errors="surrogateescape") as file:
            kind = filesystem_type(device, file.read())
        if kind in _UNSUITABLE:
            return kind
        self._good_device = device
        return ""
