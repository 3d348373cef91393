"""`image ls`: the images of this machine, one line for each name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.image.host import HOST_IMAGE
from orchestra.image.store import LocalImageStore
from orchestra.model.container import ImageId
from orchestra.model.image import ImageConfig
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.image.catalog import NameRow
    from orchestra.layout import Layout
    from orchestra.ops.image_filters import Filters

FILTERS = ("dangling", "label", "before", "since", "reference", "until")
NONE = "<none>"


class ImageLine(NamedTuple):
    """*digest* is that of the registry, "<none>" for an image that was never at one."""

    repository: str
    tag: str
    digest: str
    id: str
    created_ns: int
    size_bytes: int


HOST_LINE = ImageLine(HOST_IMAGE, NONE, NONE, HOST_IMAGE, 0, 0)


def image_ls(layout: Layout, filters: Filters) -> tuple[ImageLine, ...]:
    """The images that pass *filters*, the latest first; `host` last, unless filters exclude it.

    One that is damaged is listed without size and date, so that it can be removed.
    Raises NotFound for an unknown image in `before` or `since`.
    """
    store = LocalImageStore(layout.images)
    latest = store.find(filters.before).config.created_ns if filters.before else None
    earliest = store.find(filters.since).config.created_ns if filters.since else None
    lines: list[ImageLine] = []
    for row in store.catalog.images():
        image = store.readable(row.id)
        config = image.config if image is not None else ImageConfig(id=ImageId(row.id))
        created_ns = config.created_ns
        if (
            (latest is not None and created_ns >= latest)
            or (earliest is not None and created_ns <= earliest)
            or (filters.until_ns is not None and created_ns >= filters.until_ns)
            or not filters.label_match(dict(config.labels))
        ):
            continue
        named = lines_of(config, store.catalog.names(row.id))
        lines += [line for line in named if _passes(line, filters)]
    lines.sort(key=lambda line: line.created_ns, reverse=True)
    if _passes(HOST_LINE, filters) and filters._replace(references=()) == type(filters)():
        lines.append(HOST_LINE)
    return tuple(lines)


def _passes(line: ImageLine, filters: Filters) -> bool:
    if line is not HOST_LINE and filters.dangling not in (None, line.tag == NONE):
        return False
    return filters.name_matches(line.repository, line.tag)


def lines_of(image: ImageConfig, names: tuple[NameRow, ...]) -> list[ImageLine]:
    """A line for each tag; for each digest in a repository without one; or one without a name."""
    tagged = [name for name in names if name.tag]
    repositories = {name.repository for name in tagged}
    digests = [name for name in names if not name.tag and name.repository not in repositories]
    found = [
        ImageLine(
            name.reference.familiar_name,
            name.tag or NONE,
            name.target or NONE,
            image.id,
            image.created_ns,
            image.size_bytes,
        )
        for name in (*tagged, *digests)
    ]
    nameless = ImageLine(NONE, NONE, NONE, image.id, image.created_ns, image.size_bytes)
    return found or [nameless]
