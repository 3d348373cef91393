"""Small images made in code: layers, config and manifest as blobs, and as an OCI layout."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class MadeImage(NamedTuple):
    """*blobs* by digest, with all that *manifest* (a digest, too) refers to."""

    manifest: str
    config: str
    layers: tuple[str, ...]
    blobs: dict[str, bytes]

    @property
    def manifest_size(self) -> int:
        return len(self.blobs[self.manifest])


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A layer with *files* by path; a path that ends with "/" is a directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.rstrip("/"))
            if path.endswith("/"):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            else:
                entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def make_image(
    layers: Sequence[Mapping[str, bytes]],
    settings: Mapping[str, object] | None = None,
    *,
    architecture: str = "amd64",
    system: str = "linux",
) -> MadeImage:
    """An image of gzip layers, lowest first, that runs with *settings* (the config object)."""
    blobs: dict[str, bytes] = {}

    def add(data: bytes) -> str:
        digest = digest_of(data)
        blobs[digest] = data
        return digest

    def described(digest: str, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": digest, "size": len(blobs[digest])}

    tars = [tar_of(files) for files in layers]
    digests = [add(gzip.compress(tar, 1, mtime=0)) for tar in tars]
    document = {
        "created": "2024-05-01T10:00:00Z",
        "architecture": architecture,
        "os": system,
        "config": dict(settings or {}),
        "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]},
    }
    config = add(json.dumps(document).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(config, OCI_CONFIG),
        "layers": [described(digest, OCI_GZIP_LAYER) for digest in digests],
    }
    return MadeImage(add(json.dumps(manifest).encode()), config, tuple(digests), blobs)


def make_index(images: Mapping[str, MadeImage]) -> tuple[bytes, dict[str, bytes]]:
    """An index of *images* by platform ("linux/amd64"), and all blobs below it."""
    entries, blobs = [], {}
    for platform, image in images.items():
        system, architecture, *variant = platform.split("/")
        entries.append(
            {
                "mediaType": OCI_MANIFEST,
                "digest": image.manifest,
                "size": image.manifest_size,
                "platform": {
                    "os": system,
                    "architecture": architecture,
                    **({"variant": variant[0]} if variant else {}),
                },
            }
        )
        blobs.update(image.blobs)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return json.dumps(index).encode(), blobs


def write_layout(directory: str, top: bytes, media_type: str, blobs: Mapping[str, bytes]) -> None:
    """An OCI layout (image-spec image-layout.md) whose one entry is *top*."""
    place = os.path.join(directory, "blobs", "sha256")
    os.makedirs(place, exist_ok=True)
    for digest, data in {**blobs, digest_of(top): top}.items():
        with open(os.path.join(place, digest.removeprefix("sha256:")), "wb") as file:
            file.write(data)
    entry = {"mediaType": media_type, "digest": digest_of(top), "size": len(top)}
    index = {"schemaVersion": 2, "manifests": [entry]}
    with open(os.path.join(directory, "index.json"), "w", encoding="ascii") as file:
        json.dump(index, file)
    with open(os.path.join(directory, "oci-layout"), "w", encoding="ascii") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)
