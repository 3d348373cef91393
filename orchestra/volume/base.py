"""VolumeDriver: named and anonymous volumes of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orchestra.model.network import VolumeSpec, VolumeState


class VolumeDriver(Protocol):
    def create(self, spec: VolumeSpec) -> VolumeState:
        """Make it, or return the one that exists. NotFound for a missing external volume."""
        ...

    def remove(self, name: str) -> None:
        """Remove it with its data; accepts "gone". Conflict while a container uses it."""
        ...

    def find(self, name: str) -> VolumeState | None: ...

    def volumes(self, project: str) -> tuple[VolumeState, ...]: ...

    def needs_fill(self, name: str) -> bool:
        """Is it new: never filled from an image and empty?"""
        ...

    def mark_filled(self, name: str) -> None: ...
