"""Volumes that are a file system of their own (NFS, CIFS, tmpfs …): mounted off stage.

The mount is made in the host's network namespace, which is the one that reaches the server, but in
a mount namespace of its own, so that the host never sees it; a detached copy goes to the container.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING

from orchestra.linux.constants import CLONE_NEWNS, MNT_DETACH, MS_PRIVATE, MS_REC
from orchestra.linux.mount import clone_tree, mount, umount
from orchestra.linux.namespaces import unshare
from orchestra.runtime.mount_options import split_options

if TYPE_CHECKING:
    from orchestra.linux.fds import Fd
    from orchestra.model.network import VolumeFilesystem

_NETWORK_TYPES = frozenset({"nfs", "nfs4", "cifs", "smb3"})


def leave_host_mounts() -> None:
    """Take a private mount namespace for what `detached` mounts."""
    unshare(CLONE_NEWNS)
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def detached(filesystem: VolumeFilesystem, place: str) -> Fd:
    """*filesystem*, mounted on the directory *place* for a moment. Raises OSError."""
    flags, data = split_options(filesystem.options)
    if filesystem.type in _NETWORK_TYPES:
        data = with_address(data)
    os.makedirs(place, 0o700, exist_ok=True)
    mount(filesystem.device, place, filesystem.type, flags, data)
    try:
        return clone_tree(place, recursive=False)
    finally:
        umount(place, MNT_DETACH)


def with_address(data: str) -> str:
    """*data* with a host name after "addr=" resolved, since the kernel takes only addresses."""
    return ",".join(
        f"addr={_resolved(word[5:])}" if word.startswith("addr=") else word
        for word in data.split(",")
    )


def _resolved(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
