"""The local volume driver: one directory per volume, with its metadata beside the data.

    VOLUMES/NAME/volume.json   the VolumeSpec and the time of creation, never changed
    VOLUMES/NAME/_data         the content, as in Docker
    VOLUMES/NAME/filling       an image's content is being copied into it
    VOLUMES/NAME/filled        that is done, or was not needed

A volume appears and disappears by rename, so it exists whole or not at all; no database is needed,
since a directory's name can be taken only once.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, Conflict, NotFound
from orchestra.linux.remove_tree import remove_tree
from orchestra.model.container import Frozen
from orchestra.model.network import VolumeSpec, VolumeState
from orchestra.model.structs import msgspec
from orchestra.volume.options import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.layout import Layout

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_DRAFT, _REMOVING = ".draft-", ".removing-"


class _Record(Frozen, frozen=True, kw_only=True):
    spec: VolumeSpec
    created_ns: int


def _used_by_nobody(name: str) -> tuple[str, ...]:  # noqa: ARG001
    return ()


class LocalVolumes:
    """The volumes below *layout*. *used_by* names the containers that use a volume."""

    def __init__(
        self, layout: Layout, used_by: Callable[[str], tuple[str, ...]] = _used_by_nobody
    ) -> None:
        self._layout = layout
        self._used_by = used_by

    def create(self, spec: VolumeSpec) -> VolumeState:
        """The volume *spec*, made if it is not there; one that exists is returned as it is.

        Raises NotFound for an external volume that is missing, ConfigError for a name or options
        that cannot be.
        """
        _check_name(spec.name)
        found = self.find(spec.name)
        if found is not None:
            return found
        if spec.external:
            raise NotFound(
                f'volume "{spec.name}" is declared as external and does not exist',
                fix="create it first, or remove `external: true`",
            )
        source = source_of(spec)
        if source.directory and not os.path.isdir(source.directory):
            raise NotFound(
                f'volume "{spec.name}": the directory {source.directory} does not exist',
                fix="make it, or correct driver_opts.device",
            )
        self._make(spec)
        made = self.find(spec.name)
        if made is None:
            raise Conflict(
                f'volume "{spec.name}" was removed while it was made', fix="run the command again"
            )
        return made

    def _make(self, spec: VolumeSpec) -> None:
        with self.draft(spec) as draft:
            draft.publish()

    @contextlib.contextmanager
    def draft(self, spec: VolumeSpec) -> Iterator[VolumeDraft]:
        """A volume that nobody sees until it is published; it goes with an error before that."""
        import tempfile  # 4 ms and 1 MB that a supervisor without volumes is spared

        os.makedirs(self._layout.volumes, mode=0o700, exist_ok=True)
        directory = tempfile.mkdtemp(prefix=_DRAFT, dir=self._layout.volumes)
        try:
            data = os.path.join(directory, "_data")
            os.mkdir(data)
            os.chmod(data, 0o755)  # noqa: S103 (containers run as any user; the parent is closed)
            yield VolumeDraft(spec, directory, os.path.join(self._layout.volumes, spec.name))
        finally:
            remove_tree(directory)
        _sync_directory(self._layout.volumes)

    def remove(self, name: str) -> None:
        """Remove it with its data; "gone" is fine. Raises Conflict while a container uses it."""
        _check_name(name)
        import tempfile

        users = self._used_by(name)
        if users:
            raise Conflict(
                f'volume "{name}" is in use by {", ".join(users)}',
                fix="remove these containers first",
            )
        trash = tempfile.mkdtemp(prefix=_REMOVING, dir=self._existing_root())
        try:
            os.rename(os.path.join(self._layout.volumes, name), trash)
        except FileNotFoundError:
            os.rmdir(trash)
        self._sweep()

    def _existing_root(self) -> str:
        os.makedirs(self._layout.volumes, mode=0o700, exist_ok=True)
        return self._layout.volumes

    def _sweep(self) -> None:
        """Delete what this and earlier, killed removals have renamed."""
        for name in os.listdir(self._layout.volumes):
            if name.startswith(_REMOVING):
                remove_tree(os.path.join(self._layout.volumes, name))

    def exists(self, name: str) -> bool:
        """Is there one of that name, readable or not?"""
        _check_name(name)
        return os.path.isdir(os.path.join(self._layout.volumes, name))

    def find(self, name: str) -> VolumeState | None:
        """The volume *name*; None when there is none."""
        _check_name(name)
        try:
            with open(os.path.join(self._layout.volumes, name, "volume.json"), "rb") as file:
                record = msgspec.json.decode(file.read(), type=_Record)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as exc:
            raise Conflict(
                f'volume "{name}" has unreadable metadata: {exc}',
                fix=f"save what you need of {self._layout.volume_data(name)}, then remove the "
                "volume",
            ) from exc
        source = source_of(record.spec)
        return VolumeState(
            spec=record.spec,
            mountpoint=source.directory or self._layout.volume_data(name),
            created_ns=record.created_ns,
            filesystem=source.filesystem,
            read_only=source.read_only,
        )

    def volumes(self, project: str) -> tuple[VolumeState, ...]:
        """The volumes that *project* made, by name."""
        try:
            names = sorted(os.listdir(self._layout.volumes))
        except FileNotFoundError:
            return ()
        found = (self._readable(name) for name in names if _NAME.fullmatch(name))
        return tuple(
            state for state in found if state is not None and state.spec.project == project
        )

    def _readable(self, name: str) -> VolumeState | None:
        """Like `find`, but a damaged volume, which may be of any project, is left out."""
        try:
            return self.find(name)
        except Conflict:
            return None

    def needs_fill(self, name: str) -> bool:
        """Is it new: never filled and empty, or was its filling cut short?

        Remembers that a filling has begun, so that a crash amid it is seen.
        """
        state = self.find(name)
        if state is None or state.filesystem is not None or self._has(name, "filled"):
            return False
        if self._has(name, "filling"):
            return True
        if not _is_empty(state.mountpoint):
            self.mark_filled(name)
            return False
        self._mark(name, "filling")
        return True

    def mark_filled(self, name: str) -> None:
        """From now on the volume's content is its own. A removed volume is fine."""
        self._mark(name, "filled")

    def _has(self, name: str, marker: str) -> bool:
        return os.path.lexists(os.path.join(self._layout.volumes, name, marker))

    def _mark(self, name: str, marker: str) -> None:
        try:
            _write_durably(os.path.join(self._layout.volumes, name, marker), b"")
        except FileNotFoundError:
            return


class VolumeDraft:
    """A volume that is being filled, in a directory of its own."""

    def __init__(self, spec: VolumeSpec, directory: str, final: str) -> None:
        self._spec = spec
        self._directory = directory
        self._final = final

    @property
    def data(self) -> str:
        """Where its content goes."""
        return os.path.join(self._directory, "_data")

    def publish(self) -> bool:
        """Make it the volume; False when somebody else has made one of that name meanwhile."""
        record = _Record(spec=self._spec, created_ns=time.time_ns())
        _write_durably(os.path.join(self._directory, "volume.json"), msgspec.json.encode(record))
        try:
            os.rename(self._directory, self._final)
        except OSError:
            if not os.path.isdir(self._final):
                raise
            return False
        return True


def _is_empty(directory: str) -> bool:
    """A bind's directory may be gone; then there is nothing to fill."""
    try:
        with os.scandir(directory) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return False


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f'"{name}" is not a volume name',
            fix="use letters, digits, and _ . - after the first character",
        )


def _write_durably(path: str, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
