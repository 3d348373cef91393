"""`save`: images as an archive that Docker, skopeo, containerd and `load` read.

It is OCI's layout (image-spec image-layout.md), blobs as they are in the store, and the
`manifest.json` of Docker beside it, which names the same blobs.
"""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

from orchestra.image.manifest import OCI_INDEX, media_type_of
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.image.reference import Reference
    from orchestra.image.store import Image, LocalImageStore

_CHUNK = 1 << 20
_EPOCH = 0  # every time is left out, so that the same images make the same archive


class Wanted(NamedTuple):
    """An image, and the names under which it is to be found in the archive."""

    image: Image
    names: tuple[Reference, ...]


def archive(store: LocalImageStore, wanted: Sequence[Wanted]) -> Iterator[bytes]:
    """The archive of *wanted*, in chunks. Raises NotFound when a blob is missing."""
    blobs = dict.fromkeys(
        digest
        for image, _ in wanted
        for digest in (
            *(layer.digest for layer in image.manifest.layers),
            image.id,
            image.manifest_digest,
        )
    )
    yield _header("blobs/", tarfile.DIRTYPE) + _header("blobs/sha256/", tarfile.DIRTYPE)
    for digest in blobs:
        yield from _blob(store, digest)
    documents = {
        "index.json": {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [entry for each in wanted for entry in _index_entries(store, each)],
        },
        "manifest.json": [_docker_entry(each) for each in wanted],
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
    }
    for name, document in documents.items():
        data = json.dumps(document, separators=(",", ":")).encode()
        yield _header(name, size=len(data)) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _blob(store: LocalImageStore, digest: str) -> Iterator[bytes]:
    size = store.blobs.size(digest)
    with open(store.blobs.open(digest), "rb", buffering=0) as file:
        yield _header(_path(digest), size=size)
        while chunk := file.read(_CHUNK):
            yield chunk
    yield bytes(-size % tarfile.BLOCKSIZE)


def _index_entries(store: LocalImageStore, wanted: Wanted) -> Iterator[dict[str, object]]:
    """One for each name: containerd and skopeo read the names from annotations."""
    image, names = wanted
    entry: dict[str, object] = {
        "mediaType": media_type_of(image.manifest),
        "digest": image.manifest_digest,
        "size": store.blobs.size(image.manifest_digest),
        "platform": {"os": image.document.os, "architecture": image.document.architecture},
    }
    if not names:
        yield entry
    for name in names:
        notes = {
            "io.containerd.image.name": str(name),
            "org.opencontainers.image.ref.name": name.tag,
        }
        yield {**entry, "annotations": notes}


def _docker_entry(wanted: Wanted) -> dict[str, object]:
    image, names = wanted
    return {
        "Config": _path(image.id),
        "RepoTags": [name.familiar for name in names] or None,
        "Layers": [_path(layer.digest) for layer in image.manifest.layers],
    }


def _path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/", 1)


def _header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = kind, size, _EPOCH
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info.tobuf(tarfile.PAX_FORMAT)
