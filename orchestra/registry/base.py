"""What others ask of registries and hear from them; cheap to import, never printed here."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.errors import OrchestraError
    from orchestra.image.platform import Platform
    from orchestra.image.reference import Reference


PARALLEL_LAYERS = 3
"""As the Docker Engine's max-concurrent-downloads."""


class PullRequest(NamedTuple):
    """*platform* is the machine's own, or what the user asked for (*is_chosen*)."""

    reference: Reference
    platform: Platform
    is_chosen: bool = False
    parallel: int = PARALLEL_LAYERS


class Pulled(NamedTuple):
    """*digest* is what the name stands for at the registry."""

    digest: str
    is_new: bool


class PullEnded(NamedTuple):
    """What became of one of several requests: *pulled*, or else *error*."""

    request: PullRequest
    pulled: Pulled | None = None
    error: OrchestraError | None = None


class Pushed(NamedTuple):
    """What the name stands for at the registry from now on."""

    digest: str
    size_bytes: int  # of the manifest


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
