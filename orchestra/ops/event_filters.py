"""`--filter` of `system events`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.ops.events import ProjectEvent
    from orchestra.ops.object_filters import ObjectFilters

FILTERS = ("container", "event", "image", "label", "scope", "type")


def passes(event: ProjectEvent, filters: ObjectFilters) -> bool:
    """`event=health_status` lets through "health_status: healthy", as with Docker."""
    kind = event.action.partition(":")[0]
    return (
        filters.any_passes("event", lambda text: text in (event.action, kind))
        and filters.any_passes("type", "container".__eq__)
        and filters.any_passes("scope", "local".__eq__)
        and filters.any_passes("image", lambda text: text in (event.image, _untagged(event.image)))
        and filters.any_passes(
            "container", lambda text: event.name == text or event.id.startswith(text)
        )
        and filters.labels_pass(dict(event.attributes))
    )


def _untagged(image: str) -> str:
    head, colon, tag = image.rpartition(":")
    return head if colon and "/" not in tag else image
