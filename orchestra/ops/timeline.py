"""The trace of a project's last `up`: written when it ends, read by `timeline`."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestra.errors import NotFound
from orchestra.plan.trace import Span, Trace

if TYPE_CHECKING:
    from orchestra.layout import Layout


def save_trace(layout: Layout, project: str, trace: Trace) -> None:
    """Replace the last one. Not synced: it is of no use after a crash; and no reason to fail."""
    path = layout.timeline(project)
    with suppress(OSError):
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(json.dumps(trace, ensure_ascii=False))
        os.rename(f"{path}.new", path)


def read_trace(layout: Layout, project: str) -> Trace:
    """The trace of the last `up`. Raises NotFound."""
    try:
        with open(layout.timeline(project), encoding="utf-8") as file:
            begin_ns, end_ns, spans = json.load(file)
        return Trace(
            begin_ns,
            end_ns,
            tuple(Span(*span)._replace(after=tuple(span[6])) for span in spans),
        )
    except (OSError, ValueError, TypeError, IndexError) as exc:
        raise NotFound(
            f'nothing is known of an `up` of "{project}"', fix="`orchestra up -d` first"
        ) from exc
