"""The fields of `image ls` and their headers, as `docker image ls --format` has them."""

from __future__ import annotations

from orchestra.cli.render.duration import ago, go_time
from orchestra.cli.render.listing import Item
from orchestra.cli.render.size import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.ops.image_ls import ImageLine
    from orchestra.ops.image_prune import Pruned
    from orchestra.ops.image_rm import Removed

COLUMNS = ("Repository", "Tag", "ID", "CreatedSince", "Size")
COLUMNS_WITH_DIGEST = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")
HEADERS = {
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "ID": "IMAGE ID",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
}


def image_item(line: ImageLine, now_ns: int, *, full: bool) -> Item:
    """One line; ids are cut to twelve digits unless *full*."""
    created = line.created_ns
    return Item(
        {
            "Containers": "N/A",
            "CreatedAt": go_time(created) if created else "N/A",
            "CreatedSince": ago(created, now_ns) if created else "N/A",
            "Digest": line.digest,
            "ID": line.id if full else short_id(line.id),
            "Repository": line.repository,
            "SharedSize": "N/A",
            "Size": human_size(line.size_bytes),
            "Tag": line.tag,
            "UniqueSize": "N/A",
            "VirtualSize": human_size(line.size_bytes, digits=4),
        }
    )


def short_id(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:12]


def pruned_text(pruned: Pruned) -> str:
    """What a prune removed and freed, as Docker tells it."""
    lines = pruned_lines(pruned)
    listed = ["Deleted Images:", *lines, ""]
    total = f"Total reclaimed space: {human_size(pruned.freed_bytes)}"
    return "\n".join([*(listed if lines else ()), total, ""])


def pruned_lines(pruned: Pruned) -> list[str]:
    return [line[0].lower() + line[1:] for line in removed_lines(pruned.removed)]


def removed_lines(removed: Iterable[Removed]) -> list[str]:
    return [
        f"Untagged: {line.untagged}" if line.untagged else f"Deleted: {line.deleted}"
        for line in removed
    ]
