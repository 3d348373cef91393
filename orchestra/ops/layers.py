"""Layers on their way from or to a registry, as progress."""

from __future__ import annotations

from orchestra.plan.events import Phase, Progress
from orchestra.registry.base import LayerPhase, LayerProgress

_UNDER_WAY = (
    LayerPhase.WAITING,
    LayerPhase.DOWNLOADING,
    LayerPhase.RETRYING,
    LayerPhase.PREPARING,
    LayerPhase.PUSHING,
)


def layer_progress(event: LayerProgress, *, parent: str = "") -> Progress:
    """*event*, as a part of *parent*."""
    return Progress(
        event.short_id,
        Phase.WORKING if event.phase in _UNDER_WAY else Phase.DONE,
        event.phase.value,
        event.detail,
        parent=parent,
        done_bytes=event.done_bytes,
        total_bytes=event.total_bytes,
    )
