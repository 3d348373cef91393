"""What moving an image tells whoever watches; cheap to import, never printed here."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.image.reference import Reference


class LayerPhase(Enum):
    """In Docker's words, which people know."""

    WAITING = "Waiting"
    EXISTS = "Already exists"
    DOWNLOADING = "Downloading"
    DOWNLOADED = "Download complete"
    RETRYING = "Retrying"
    PULLED = "Pull complete"
    PREPARING = "Preparing"
    PUSHING = "Pushing"
    PUSHED = "Pushed"
    MOUNTED = "Mounted"
    PUSHED_BEFORE = "Layer already exists"


class LayerProgress(NamedTuple):
    """One layer of one image; *done_bytes* of *total_bytes* are here."""

    image: Reference
    digest: str
    phase: LayerPhase
    done_bytes: int = 0
    total_bytes: int = 0
    detail: str = ""

    @property
    def short_id(self) -> str:
        """As Docker shows it: 12 hexadecimal digits."""
        return self.digest.partition(":")[2][:12]


if TYPE_CHECKING:
    Watch = Callable[[LayerProgress], None]
    """Called by several threads, one at a time for each layer."""
