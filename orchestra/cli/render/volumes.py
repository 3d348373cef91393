"""Volumes as `docker volume ls` and `docker volume inspect` show them."""

from __future__ import annotations

from orchestra.cli.render.duration import rfc3339
from orchestra.cli.render.listing import Item, listing_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.network import VolumeState

_COLUMNS = ("Driver", "Name")
_HEADERS = {"Driver": "DRIVER", "Name": "VOLUME NAME"}
_UNKNOWN = "N/A"


def volumes_text(volumes: Iterable[VolumeState], template: str, *, quiet: bool) -> str:
    """The list as *template* says; with *quiet* and no template of its own the names alone."""
    if quiet and template in ("", "table"):
        return "".join(f"{volume.spec.name}\n" for volume in volumes)
    items = [_item(volume) for volume in volumes]
    return listing_text(items, template, headers=_HEADERS, columns=_COLUMNS)


def volume_record(volume: VolumeState) -> dict[str, object]:
    """What `inspect` shows."""
    spec = volume.spec
    return {
        "CreatedAt": rfc3339(volume.created_ns),
        "Driver": spec.driver or "local",
        "Labels": dict(sorted(spec.labels)) or None,
        "Mountpoint": volume.mountpoint,
        "Name": spec.name,
        "Options": dict(sorted(spec.driver_opts)) or None,
        "Scope": "local",
    }


def _item(volume: VolumeState) -> Item:
    spec = volume.spec
    return Item(
        {
            "Availability": _UNKNOWN,
            "Driver": spec.driver or "local",
            "Group": _UNKNOWN,
            "Labels": ",".join(f"{key}={value}" for key, value in sorted(spec.labels)),
            "Links": _UNKNOWN,
            "Mountpoint": volume.mountpoint,
            "Name": spec.name,
            "Scope": "local",
            "Size": _UNKNOWN,
            "Status": _UNKNOWN,
        },
        dict(spec.labels),
    )
