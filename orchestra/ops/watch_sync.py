"""Bringing files of the host into the running containers of a service, and deletions as such."""

from __future__ import annotations

import os
import stat
import tarfile
from functools import partial
from typing import IO, TYPE_CHECKING

from orchestra.model.state import Status
from orchestra.ops.container_find import spec_fields
from orchestra.ops.target import Target, find_containers
from orchestra.runtime.sync_into import Inside, sync_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.layout import Layout
    from orchestra.model.state import ContainerState
    from orchestra.ops.watch_rules import Copy

_CHUNK = 1 << 20


def running_containers(layout: Layout, project: str, service: str) -> tuple[ContainerState, ...]:
    """Those that can be joined; one-off containers are nobody's business."""
    target = Target(project, (service,), (service,))
    states = find_containers(layout, target)
    return tuple(state for state in states if state.status in (Status.RUNNING, Status.PAUSED))


def sync(layout: Layout, project: str, service: str, copies: Sequence[Copy]) -> int:
    """Copy what is there and remove what is not, in every running container; how many there are.

    Files belong to the user that the container runs as, if it says which. Raises NotFound and
    RuntimeFailure.
    """
    present = [copy for copy in copies if os.path.lexists(copy.source)]
    gone = targets_gone(copies)
    containers = running_containers(layout, project, service)
    for container in containers:
        user = spec_fields(layout, container).get("process", {}).get("user", "")
        where = Inside(container.name, container.pid, container.start_ticks)
        sync_into(where, gone, partial(write_archive, present), owner=user)
    return len(containers)


def targets_gone(copies: Iterable[Copy]) -> tuple[str, ...]:
    """What is to be removed; never a container's root, though what is synced there is gone."""
    gone = (copy.target for copy in copies if not os.path.lexists(copy.source))
    return tuple(target for target in gone if target != "/")


def write_archive(copies: Iterable[Copy], fd: int) -> None:
    """A tar of *copies* to *fd*; directories without what is in them, other kinds left out."""
    with (
        os.fdopen(os.dup(fd), "wb") as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for copy in sorted(copies, key=lambda copy: copy.target):
            _add(archive, copy)


def _add(archive: tarfile.TarFile, copy: Copy) -> None:
    """A file that has gone since is left out: its deletion is the next change."""
    try:
        info = os.lstat(copy.source)
        member = tarfile.TarInfo(copy.target.lstrip("/"))
        member.mode, member.mtime = stat.S_IMODE(info.st_mode), info.st_mtime
        member.uid, member.gid = info.st_uid, info.st_gid
        if stat.S_ISDIR(info.st_mode):
            member.type = tarfile.DIRTYPE
            archive.addfile(member)
        elif stat.S_ISLNK(info.st_mode):
            member.type, member.linkname = tarfile.SYMTYPE, os.readlink(copy.source)
            archive.addfile(member)
        elif stat.S_ISREG(info.st_mode):
            with open(copy.source, "rb") as file:
                member.size = os.fstat(file.fileno()).st_size
                archive.addfile(member, Exactly(file, member.size))
    except FileNotFoundError:
        return


class Exactly:
    """Reads as many bytes as were announced, whatever is written to the file meanwhile.

    What is missing then are zeros; the writer's next change brings the rest.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, count: int = -1) -> bytes:
        wanted = self._left if count < 0 else min(count, self._left)
        content = self._file.read(wanted)
        self._left -= wanted
        return content + b"\0" * (wanted - len(content))
