"""Progress: what executing a plan tells whoever watches; cheap to import, never printed here."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Phase(Enum):
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    WARNING = "warning"


class Progress(NamedTuple):
    """One step of one thing: `Progress("Container demo-web-1", Phase.DONE, "Started")`.

    *resource* is "" for a remark that concerns the whole project. A part of another resource, such
    as a layer of an image, names it as *parent* and tells how far it is in bytes.
    """

    resource: str
    phase: Phase
    text: str
    detail: str = ""
    parent: str = ""
    done_bytes: int = 0
    total_bytes: int = 0


if TYPE_CHECKING:
    Report = Callable[[Progress], None]
