"""`image inspect` and `image history`: what an image says of itself, in Docker's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestra.image.config import created_ns, parse_config
from orchestra.image.host import HOST_CONFIG, HOST_IMAGE
from orchestra.image.store import LocalImageStore
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from orchestra.image.store import Image
    from orchestra.layout import Layout

MISSING = "<missing>"


class HistoryLine(NamedTuple):
    """One step of an image's making, the last one first; *id* is "<missing>" for all others."""

    id: str
    created_ns: int
    created_by: str
    size_bytes: int
    comment: str


def image_inspect(layout: Layout, reference: str) -> dict[str, object]:
    """The image as `docker image inspect` shows it. Raises NotFound."""
    if reference == HOST_IMAGE:
        return _host()
    store = LocalImageStore(layout.images)
    image = store.find(reference)
    document = json.loads(store.blobs.read(image.id))
    names = store.catalog.names(image.id)
    layers = [store.unpacked.path(diff_id) for diff_id in reversed(image.document.diff_ids)]
    return {
        "Id": image.id,
        "RepoTags": [name.reference.familiar for name in names if name.tag],
        "RepoDigests": [name.reference.familiar for name in names if not name.tag],
        "Parent": "",
        "Comment": _last_comment(image),
        "Created": document.get("created") or "",
        "DockerVersion": document.get("docker_version", ""),
        "Author": document.get("author", ""),
        "Config": document.get("config") or {},
        "Architecture": image.document.architecture,
        "Variant": image.document.variant,
        "Os": image.document.os,
        "Size": image.config.size_bytes,
        "VirtualSize": image.config.size_bytes,
        "GraphDriver": {"Name": "overlay", "Data": {"LowerDir": ":".join(layers)}},
        "RootFS": {"Type": "layers", "Layers": list(image.document.diff_ids)},
        "Descriptor": {
            "mediaType": image.manifest.media_type,
            "digest": image.manifest_digest,
            "size": store.blobs.size(image.manifest_digest),
        },
    }


def _last_comment(image: Image) -> str:
    history = image.document.history or ()
    return history[-1].comment if history else ""


def _host() -> dict[str, object]:
    return {
        "Id": HOST_IMAGE,
        "RepoTags": [HOST_IMAGE],
        "RepoDigests": [],
        "Comment": "the operating system of this machine, read-only, without its secrets",
        "Config": {
            "Cmd": list(HOST_CONFIG.command),
            "Env": [f"{name}={value}" for name, value in HOST_CONFIG.env],
            "WorkingDir": HOST_CONFIG.cwd,
        },
        "Os": "linux",
        "Size": 0,
    }


def image_history(layout: Layout, reference: str) -> tuple[HistoryLine, ...]:
    """The steps in which the image was made. Raises NotFound."""
    store = LocalImageStore(layout.images)
    image = store.find(reference)
    document = parse_config(store.blobs.read(image.id))
    layers = iter(document.diff_ids)
    lines: list[HistoryLine] = []
    for step in document.history or ():
        diff_id = None if step.empty_layer else next(layers, None)
        size = 0 if diff_id is None else store.unpacked.size(diff_id)
        lines.append(
            HistoryLine(MISSING, created_ns(step.created), step.created_by, size, step.comment)
        )
    lines += [HistoryLine(MISSING, 0, "", store.unpacked.size(diff), "") for diff in layers]
    if lines:
        lines[-1] = lines[-1]._replace(id=image.id)
    return tuple(reversed(lines))
