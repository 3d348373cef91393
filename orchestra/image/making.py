"""New images on this machine: one more layer, or other settings, over an image or over nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestra.image.config import rfc3339
from orchestra.image.manifest import OCI_CONFIG, Descriptor, encode_manifest
from orchestra.image.members import Hashed, compress
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.image.catalog import NameRow
    from orchestra.image.changes import Settings
    from orchestra.image.platform import Platform
    from orchestra.image.receive import Receiver
    from orchestra.image.store import Image

Document = dict[str, object]
"""An image config as JSON has it, with what we do not know kept."""


class Layer(NamedTuple):
    """A layer in the blob store."""

    descriptor: Descriptor
    diff_id: str


class Step(NamedTuple):
    """How an image differs from its base; *layer* None adds no files."""

    layer: Layer | None
    settings: Settings
    created_by: str
    comment: str = ""
    author: str = ""


def store_layer(receiver: Receiver, archive: Iterator[bytes | memoryview]) -> Layer:
    """Put the uncompressed layer *archive* into the store."""
    hashed = Hashed(archive)
    stored = compress(iter(hashed), receiver.blobs)
    descriptor = Descriptor(
        media_type=stored.media_type, digest=stored.digest, size=stored.size_bytes
    )
    return Layer(descriptor, hashed.digest)


def make_image(
    receiver: Receiver,
    base: tuple[Image, Document] | Platform,
    step: Step,
    names: tuple[NameRow, ...],
    created_ns: int,
) -> str:
    """Register *base* plus *step* under *names* (their image is filled in); the new image's id.

    Without a base there is only the platform that the image is for.
    """
    if isinstance(base, tuple):
        image, parent = base
        layers = list(image.manifest.layers)
        diff_ids = list(image.document.diff_ids)
        before = parent.get("history")
        document = dict(parent)
    else:
        layers, diff_ids, before = [], [], []
        document = {"architecture": base.architecture, "os": base.os}
        if base.variant:
            document["variant"] = base.variant
    if step.layer is not None:
        layers.append(step.layer.descriptor)
        diff_ids.append(step.layer.diff_id)
    created = rfc3339(created_ns)
    entry: dict[str, object] = {"created": created, "created_by": step.created_by}
    optional = {"author": step.author, "comment": step.comment}
    entry |= {key: value for key, value in optional.items() if value}
    if step.layer is None:
        entry["empty_layer"] = True
    document.update(
        created=created,
        config=step.settings,
        rootfs={"type": "layers", "diff_ids": diff_ids},
        history=[*(before if isinstance(before, list) else ()), entry],
    )
    if step.author:
        document["author"] = step.author
    data = json.dumps(document, separators=(",", ":")).encode()
    config = Descriptor(media_type=OCI_CONFIG, digest=receiver.blobs.put(data), size=len(data))
    manifest = receiver.blobs.put(encode_manifest(config, layers))
    return receiver.add(manifest, names).id
