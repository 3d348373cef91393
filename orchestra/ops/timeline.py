"""The trace of a project's last `up`: written when it ends, read by `timeline`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.model.structs import msgspec
from orchestra.plan.trace import Trace

if TYPE_CHECKING:
    from orchestra.layout import Layout


def save_trace(layout: Layout, project: str, trace: Trace) -> None:
    """Replace the last one. Not synced: it is of no use after a crash; and no reason to fail."""
    path = layout.timeline(project)
    with suppress(OSError, ValueError):
        with open(f"{path}.new", "wb", buffering=0) as file:
            file.write(msgspec.json.encode(trace))
        os.rename(f"{path}.new", path)


def read_trace(layout: Layout, project: str) -> Trace:
    """The trace of the last `up`. Raises NotFound."""
    try:
        with open(layout.timeline(project), "rb") as file:
            return msgspec.json.decode(file.read(), type=Trace)
    except (OSError, msgspec.DecodeError) as exc:
        raise NotFound(
            f'nothing is known of an `up` of "{project}"', fix="`orchestra up -d` first"
        ) from exc
