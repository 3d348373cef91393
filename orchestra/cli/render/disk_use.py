"""`system df` in Docker's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.render.containers import status_text
from orchestra.cli.render.duration import ago
from orchestra.cli.render.images import short_id
from orchestra.cli.render.listing import Item, listing_text
from orchestra.cli.render.size import human_size
from orchestra.cli.render.table import table_text

if TYPE_CHECKING:
    from orchestra.ops.system_df import DiskUse, Total

_COLUMNS = ("Type", "TotalCount", "Active", "Size", "Reclaimable")
_HEADERS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
}
_IMAGE_HEADER = (
    "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS",
)  # fmt: skip
_CONTAINER_HEADER = (
    "CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES",
)  # fmt: skip
_CACHE_HEADER = ("CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED")
_CACHE_TYPES = {"step": "regular", "cache mount": "exec.cachemount"}
_MAX_COMMAND = 20


def summary(use: DiskUse, template: str) -> str:
    """A line for each kind."""
    items = [_total(total) for total in use.totals]
    return listing_text(items, template, headers=_HEADERS, columns=_COLUMNS)


def _total(total: Total) -> Item:
    reclaimable = human_size(total.reclaimable_bytes, digits=4)
    if total.size_bytes:
        reclaimable += f" ({100 * total.reclaimable_bytes // total.size_bytes}%)"
    return Item(
        {
            "Active": str(total.active),
            "Reclaimable": reclaimable,
            "Size": human_size(total.size_bytes, digits=4),
            "TotalCount": str(total.number),
            "Type": total.kind,
        }
    )


def details(use: DiskUse, now_ns: int) -> str:
    """A line for each thing."""
    images = [
        (
            image.line.repository,
            image.line.tag,
            short_id(image.line.id),
            ago(image.line.created_ns, now_ns) if image.line.created_ns else "N/A",
            human_size(image.line.size_bytes),
            human_size(image.shared_bytes, digits=4),
            human_size(image.line.size_bytes - image.shared_bytes, digits=4),
            str(image.containers),
        )
        for image in use.images
    ]
    containers = [
        (
            container.state.id[:12],
            container.state.image,
            _command(container.state.command),
            str(container.volumes),
            human_size(container.size_bytes),
            ago(container.state.created_ns, now_ns),
            status_text(container.state, now_ns),
            container.state.name,
        )
        for container in use.containers
    ]
    volumes = [
        (volume.name, str(volume.links), human_size(volume.size_bytes, digits=4))
        for volume in use.volumes
    ]
    sections = (
        ("Images", table_text(_IMAGE_HEADER, images)),
        ("Containers", table_text(_CONTAINER_HEADER, containers)),
        ("Local Volumes", table_text(("VOLUME NAME", "LINKS", "SIZE"), volumes)),
    )
    parts = [f"{name} space usage:\n\n{table}" for name, table in sections]
    return "\n".join((*parts, _cache(use, now_ns)))


def _cache(use: DiskUse, now_ns: int) -> str:
    """Docker counts how often a result was used; here only the last time is known."""
    size = sum(entry.size_bytes for entry in use.cache if not entry.is_shared)
    rows = [
        (
            entry.id,
            _CACHE_TYPES[entry.kind],
            human_size(entry.size_bytes),
            ago(entry.created_ns, now_ns),
            ago(entry.used_ns, now_ns),
            "-",
            str(entry.is_shared).lower(),
        )
        for entry in use.cache
    ]
    table = table_text(_CACHE_HEADER, rows)
    return f"Build cache usage: {human_size(size, digits=4)}\n\n{table}"


def _command(argv: tuple[str, ...]) -> str:
    text = " ".join(argv)
    return f'"{text if len(text) <= _MAX_COMMAND else text[: _MAX_COMMAND - 1] + "…"}"'
