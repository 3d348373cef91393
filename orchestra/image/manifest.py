"""Manifests and indexes, of OCI (image-spec manifest.md, image-index.md) and of Docker schema 2.

They differ in media types only. What a registry sends is hostile until it has been through here.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from orchestra.errors import RegistryError, Unsupported
from orchestra.image.platform import Platform, best_match
from orchestra.model.container import Frozen
from orchestra.model.structs import msgspec

T = TypeVar("T")

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MANIFEST_TYPES = (OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST)
MAX_MANIFEST_BYTES = 4 << 20
MAX_CONFIG_BYTES = 8 << 20

Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[a-f0-9]{64}\Z")]
Size = Annotated[int, msgspec.Meta(ge=0)]


class Descriptor(Frozen, frozen=True, kw_only=True, rename="camel"):
    """A blob: what it is, its digest and size. OCI image-spec descriptor.md."""

    media_type: str = ""
    digest: Digest
    size: Size  # bytes
    urls: tuple[str, ...] = ()
    annotations: dict[str, str] | None = None
    platform: Platform | None = None


class Manifest(Frozen, frozen=True, kw_only=True, rename="camel"):
    """One image for one platform: its config, and its layers, lowest first."""

    schema_version: int
    media_type: str = ""
    config: Descriptor
    layers: tuple[Descriptor, ...]


class Index(Frozen, frozen=True, kw_only=True, rename="camel"):
    """Manifests of one image for several platforms."""

    schema_version: int
    media_type: str = ""
    manifests: tuple[Descriptor, ...]


_ABSENT = msgspec.Raw()


class _Shape(Frozen, frozen=True, kw_only=True, rename="camel"):
    """Just enough to tell what a document is."""

    schema_version: int = 0
    media_type: str = ""
    manifests: msgspec.Raw = _ABSENT
    layers: msgspec.Raw = _ABSENT
    fs_layers: msgspec.Raw = _ABSENT


def parse_manifest(data: bytes, media_type: str = "") -> Manifest | Index:
    """The document in *data*, announced as *media_type* (a Content-Type, may be empty).

    Raises RegistryError when it is none or ambiguous (a document must not be a manifest to one
    reader and an index to the next), Unsupported for Docker's schema 1 and for artifacts.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise RegistryError(f"a manifest of {len(data)} bytes is too large")
    shape = _decode(data, _Shape, "manifest")
    announced = media_type.split(";")[0].strip()
    if shape.schema_version == 1 or _has(shape.fs_layers):
        raise Unsupported(
            "the image is in the format of Docker before 1.10 (schema 1)",
            fix="pull and push it once with a Docker Engine before version 28, or build it anew",
        )
    stated = shape.media_type or (announced if announced in MANIFEST_TYPES else "")
    is_index = _has(shape.manifests)
    if is_index == _has(shape.layers):
        raise RegistryError("a manifest must have either layers or manifests")
    if stated and (stated in {OCI_INDEX, DOCKER_INDEX}) != is_index:
        raise RegistryError(f"a manifest calls itself {stated[:100]} and is something else")
    return _decode(data, Index, "index") if is_index else _decode(data, Manifest, "manifest")


def _has(part: msgspec.Raw) -> bool:
    return bytes(part) not in {b"", b"null"}


def media_type_of(document: Manifest | Index) -> str:
    """How *document* is to be called when it is sent."""
    if document.media_type:
        return document.media_type
    return OCI_INDEX if isinstance(document, Index) else OCI_MANIFEST


def choose_manifest(index: Index, wanted: Platform) -> Descriptor:
    """The entry of *index* for the platform *wanted*. Raises Unsupported, naming what there is."""
    images = [entry for entry in index.manifests if not _is_attestation(entry)]
    position = best_match(wanted, [entry.platform for entry in images])
    if position is None:
        names = sorted({str(entry.platform) for entry in images if entry.platform})
        offered = ", ".join(names[:20]) or "no platform"
        raise Unsupported(
            f"no matching manifest for {wanted} in the manifest list entries",
            fix=f"it exists for {offered}; choose one with `platform:`",
        )
    return images[position]


def _is_attestation(entry: Descriptor) -> bool:
    """BuildKit files build provenance as a manifest for the platform unknown/unknown."""
    return entry.platform is not None and entry.platform.os == "unknown"


def _decode(data: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RegistryError(f"the {name} is malformed: {exc}") from exc


def encode_manifest(config: Descriptor, layers: list[Descriptor]) -> bytes:
    """An OCI manifest."""
    return msgspec.json.encode(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": plain_descriptor(config),
            "layers": [plain_descriptor(layer) for layer in layers],
        }
    )


def plain_descriptor(descriptor: Descriptor) -> dict[str, object]:
    """What every descriptor says, in the order of the specification's examples."""
    return {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size,
    }
