"""`load`: images from archives, as `docker save`, skopeo and OCI tools write them, in one pass.

Two layouts are understood, and both may be in one file: OCI's (image-spec image-layout.md) with
`index.json`, and Docker's with `manifest.json`, which names configs and layers by path. Members go
into the blob store as they come, so that a pipe will do, and uncompressed layers are being
unpacked meanwhile; what they mean is known only at the end.
What no image turns out to need is swept like any other leftover.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from orchestra.errors import RegistryError
from orchestra.image.blobs import digest_of
from orchestra.image.catalog import NameRow
from orchestra.image.decompress import Limit, decompressed
from orchestra.image.manifest import (
    OCI_CONFIG,
    Descriptor,
    Index,
    choose_manifest,
    encode_manifest,
    parse_manifest,
)
from orchestra.image.members import Members
from orchestra.image.platform import machine_platform
from orchestra.image.receive import Receiver
from orchestra.image.reference import parse_reference
from orchestra.model.container import Frozen
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from orchestra.image.catalog import ImageRow
    from orchestra.image.members import Stored
    from orchestra.image.reference import Reference
    from orchestra.image.store import LocalImageStore

T = TypeVar("T")

_ARCHIVE_LIMIT = Limit(free_bytes=4 << 30, ratio=200)
_NAME = "io.containerd.image.name"
_OCI_NAME = "org.opencontainers.image.ref.name"
_MAX_DEPTH = 3  # indexes in indexes


class Loaded(NamedTuple):
    """An image of the archive; *names* as people write them, maybe none."""

    id: str
    names: tuple[str, ...]


class ArchivedImage(Frozen, frozen=True, kw_only=True, rename="pascal"):
    """One entry of Docker's `manifest.json`. moby image/tarexport."""

    config: str
    repo_tags: tuple[str, ...] | None = None
    layers: tuple[str, ...] | None = None


class _Found(NamedTuple):
    """The manifest of an image, a blob by now, and the names that the archive gives it."""

    manifest: str
    config: str
    names: dict[str, None]


def load(store: LocalImageStore, file: BinaryIO) -> tuple[Loaded, ...]:
    """Take the images of the archive *file* into the store.

    All or none are registered. Raises RegistryError when it is no archive of images or damaged,
    ConfigError for impossible names, OSError.
    """
    with Receiver(store) as receiver:
        members = expected_members(receiver)
        members.read(decompressed(file, _ARCHIVE_LIMIT), store.blobs)
        arrived = arrivals(receiver, members, store)
        store.catalog.register_all((image.row, image.rows) for image in arrived)
        return tuple(
            Loaded(image.row.id, tuple(name.familiar for name in image.names)) for image in arrived
        )


class Arrived(NamedTuple):
    """An image that is complete here and not registered yet, and its tags in the archive."""

    row: ImageRow
    names: tuple[Reference, ...]

    @property
    def rows(self) -> tuple[NameRow, ...]:
        """The names as rows of the catalog."""
        return tuple(NameRow(name.name, name.tag, "", "") for name in self.names)


def expected_members(receiver: Receiver) -> Members:
    """Members that begin to unpack layers as they come."""
    return Members(lambda layer, diff_id: receiver.unpack(_descriptor(layer), diff_id))


def arrivals(receiver: Receiver, members: Members, store: LocalImageStore) -> tuple[Arrived, ...]:
    """The images of an archive that has been read, whole. Raises as `load`."""
    arrived = []
    for found in _images(members, store):
        names = dict.fromkeys(parse_reference(name) for name in found.names)
        tags = tuple(name for name in names if name.tag)
        arrived.append(Arrived(receiver.complete(found.manifest), tags))
    return tuple(arrived)


def _images(members: Members, store: LocalImageStore) -> tuple[_Found, ...]:
    by_config: dict[str, _Found] = {}
    if "index.json" in members.documents:
        index = _decode(members.document("index.json"), Index, "index.json")
        for found in _oci_images(index, members, store, depth=0):
            by_config.setdefault(found.config, found).names.update(found.names)
    if "manifest.json" in members.documents:
        entries = _decode(
            members.document("manifest.json"), tuple[ArchivedImage, ...], "manifest.json"
        )
        for entry in entries:
            found = _docker_image(entry, members, store, by_config)
            by_config.setdefault(found.config, found).names.update(found.names)
    if not by_config:
        raise RegistryError(
            "there is no image in the archive: neither an index.json nor a manifest.json",
            fix="`orchestra image load` reads what `docker save`, `skopeo copy` and `orchestra "
            "image save` write; `orchestra image import` makes an image of a root file system",
        )
    return tuple(by_config.values())


def _oci_images(
    index: Index, members: Members, store: LocalImageStore, *, depth: int
) -> Iterator[_Found]:
    """The images that *index* names: of several platforms, that for this machine."""
    if depth > _MAX_DEPTH:
        raise RegistryError("the archive's indexes lie too deep in each other")
    for entry in index.manifests:
        document = members.document(_blob_path(entry.digest))
        if digest_of(document) != entry.digest:
            raise RegistryError(f"the archive holds something else as {entry.digest}")
        parsed = parse_manifest(document, entry.media_type)
        if isinstance(parsed, Index):
            wanted = choose_manifest(parsed, machine_platform(os.uname().machine))
            chosen = msgspec.structs.replace(parsed, manifests=(wanted,))
            for found in _oci_images(chosen, members, store, depth=depth + 1):
                yield found._replace(names=found.names | _names_of(entry))
            continue
        config = members.document(_blob_path(parsed.config.digest))
        for data, digest in ((document, entry.digest), (config, parsed.config.digest)):
            if store.blobs.put(data) != digest:
                raise RegistryError(f"the archive holds something else as {digest}")
        for layer in parsed.layers:
            members.layer(_blob_path(layer.digest))
        yield _Found(entry.digest, parsed.config.digest, _names_of(entry))


def _names_of(entry: Descriptor) -> dict[str, None]:
    """The whole name as containerd writes it; others write that, or a tag, which is not enough."""
    notes = entry.annotations or {}
    name = notes.get(_NAME) or notes.get(_OCI_NAME, "")
    return {name: None} if ":" in name or "/" in name else {}


def _docker_image(
    entry: ArchivedImage, members: Members, store: LocalImageStore, known: dict[str, _Found]
) -> _Found:
    """An image of `manifest.json`; its manifest is made here, unless the archive has one."""
    data = members.document(entry.config)
    config = store.blobs.put(data)
    names = dict.fromkeys(entry.repo_tags or ())
    if config in known:
        return known[config]._replace(names=names)
    layers = [_descriptor(members.layer(path)) for path in entry.layers or ()]
    manifest = encode_manifest(
        Descriptor(media_type=OCI_CONFIG, digest=config, size=len(data)), layers
    )
    return _Found(store.blobs.put(manifest), config, names)


def _descriptor(layer: Stored) -> Descriptor:
    return Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size_bytes)


def _blob_path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/", 1)


def _decode(data: bytes, kind: Callable[..., T] | type[T], name: str) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise RegistryError(f"the archive's {name} is malformed: {exc}") from exc
