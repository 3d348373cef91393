"""Layers made in code, for tests."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile


def entry(name: str, **attributes: object) -> tarfile.TarInfo:
    """A member that belongs to who runs the test, so that no right is needed to unpack it."""
    info = tarfile.TarInfo(name)
    info.uid, info.gid = os.geteuid(), os.getegid()
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


def directory(name: str, **attributes: object) -> tarfile.TarInfo:
    return entry(name, **{"type": tarfile.DIRTYPE, "mode": 0o755, **attributes})


def symlink(name: str, target: str) -> tarfile.TarInfo:
    return entry(name, type=tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> tarfile.TarInfo:
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def layer(*members: tarfile.TarInfo | tuple[tarfile.TarInfo | str, bytes]) -> bytes:
    """An uncompressed layer; a member is an entry, or a name or entry and its content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            described, content = member if isinstance(member, tuple) else (member, b"")
            info = entry(described) if isinstance(described, str) else described
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def diff_id(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
