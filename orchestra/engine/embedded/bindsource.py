"""The directory behind a bind mount, made when it is missing, for somebody who can use it.

Docker makes it root's, so that neither the container's user nor whoever wrote the compose file can
write there. Here it belongs to the user and group that the service names by number, else to the
owner of the directory that it is made in.
"""

from __future__ import annotations

import contextlib
import os


def make_bind_source(path: str, user: str) -> None:
    """Make *path* with its parents; *user* is "UID", "UID:GID", a name or "". Raises OSError."""
    missing: list[str] = []
    place = path
    while not os.path.isdir(place):
        missing.append(place)
        place = os.path.dirname(place)
    found = os.stat(place)
    uid, gid = _numbers(user) or (found.st_uid, found.st_gid)
    for directory in reversed(missing):
        try:
            os.mkdir(directory)
        except FileExistsError:  # another project was faster
            continue
        with contextlib.suppress(PermissionError):  # without root it is ours, which will do
            os.chown(directory, uid, gid)


def _numbers(user: str) -> tuple[int, int] | None:
    """Of a name only the image knows the number; root needs no directory of its own."""
    uid, _, gid = user.partition(":")
    if not uid.isdecimal() or int(uid) == 0 or not (gid or "0").isdecimal():
        return None
    return int(uid), int(gid or uid)
