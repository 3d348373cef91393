"""The images of this machine: names, what they stand for, and how an image comes in.

Blobs, unpacked layers and the catalog of names lie side by side below one directory. An image
exists once its row is in the catalog, which is written last; everything before that is found again
by the next attempt or swept by `gc`. `image: host` is always there and has neither blobs nor names.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound, RegistryError, Unsupported
from orchestra.image.blobs import Blobs, hex_of
from orchestra.image.catalog import ImageRow, NameRow, catalog_below
from orchestra.image.config import parse_config, to_image_config
from orchestra.image.host import BASE_LABEL, HOST_CONFIG, HOST_IMAGE
from orchestra.image.layers import Layers
from orchestra.image.manifest import Index, parse_manifest
from orchestra.image.reference import Reference, parse_reference
from orchestra.model.container import ImageId
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.image.config import ImageDocument
    from orchestra.image.manifest import Manifest
    from orchestra.model.image import ImageConfig


class Image(NamedTuple):
    """An image of the store with its documents."""

    id: str
    manifest_digest: str
    manifest: Manifest
    document: ImageDocument
    config: ImageConfig
    added_ns: int


class LocalImageStore:
    """The store below *directory* (`Layout.images`); making the object touches nothing."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._pins = os.path.join(directory, "pins")
        self.blobs = Blobs(os.path.join(directory, "blobs"))
        self.unpacked = Layers(os.path.join(directory, "layers"))
        self.catalog = catalog_below(directory)

    def resolve(self, reference: str) -> ImageConfig:
        """The image called *reference*, by name, digest or id. Raises NotFound."""
        if reference == HOST_IMAGE:
            return HOST_CONFIG
        return self.find(reference).config

    def layers(self, image_id: ImageId) -> tuple[str, ...]:
        """The unpacked layer directories of *image_id*, top first. Raises NotFound.

        They are there too while a container has an image that was removed by force.
        """
        document = parse_config(self.blobs.read(image_id))
        paths = tuple(self.unpacked.path(diff_id) for diff_id in reversed(document.diff_ids))
        for path in paths:
            if not os.path.isdir(path):
                raise NotFound(
                    f"a layer of image {image_id} is not unpacked here: {path}",
                    fix="pull or load the image again",
                )
        return paths or (self.unpacked.empty(),)

    def require(self, image_id: ImageId) -> None:
        """Raises NotFound for an image that is not in the catalog, or has just left it."""
        if self.catalog.image(image_id) is None:
            raise missing(image_id)

    def lies_on_host(self, image_id: ImageId) -> bool:
        """Was the image built FROM host? Raises NotFound."""
        run = parse_config(self.blobs.read(image_id)).config
        return run is not None and (run.labels or {}).get(BASE_LABEL) == HOST_IMAGE

    def find(self, reference: str) -> Image:
        """The image called *reference*: a name or the beginning of an id. Raises NotFound."""
        return self.image(self.find_id(reference))

    def find_id(self, reference: str) -> str:
        name = self.find_name(reference)
        if name is not None:
            return name.image
        prefix = reference if reference.startswith("sha256:") else f"sha256:{reference}"
        ids = self.catalog.ids_beginning(prefix) if len(prefix) > len("sha256:") else ()
        if len(ids) > 1:
            raise NotFound(
                f'"{reference}" is the beginning of several image ids',
                fix="write more digits: " + ", ".join(each[7:19] for each in ids[:5]),
            )
        if not ids:
            raise missing(reference)
        return ids[0]

    def find_name(self, reference: str) -> NameRow | None:
        """The row of the name *reference*; None when it is no name of an image here."""
        try:
            name = parse_reference(reference)
        except ConfigError:
            return None
        return self.row(name)

    def row(self, name: Reference) -> NameRow | None:
        """The catalog's row of *name*; None when nothing here is called so."""
        if name.digest:
            return self.catalog.digested(name.name, name.digest)
        return self.catalog.tagged(name.name, name.tag)

    def checked_ns(self, reference: str) -> int:
        """When the name *reference* was last compared with its registry; 0: never, or not here."""
        row = self.find_name(reference)
        return 0 if row is None else row.checked_ns

    def image(self, image_id: str) -> Image:
        """The image with exactly this id. Raises NotFound, RegistryError for damaged documents."""
        row = self.catalog.image(image_id)
        if row is None:
            raise missing(image_id)
        manifest = parse_manifest(self.blobs.read(row.manifest))
        document = parse_config(self.blobs.read(image_id))
        if isinstance(manifest, Index):
            raise RegistryError(f"image {image_id} has an index in place of a manifest")
        size = sum(self.unpacked.size(diff_id) for diff_id in document.diff_ids)
        config = to_image_config(document, ImageId(image_id), size)
        return Image(image_id, row.manifest, manifest, document, config, row.added_ns)

    def readable(self, image_id: str) -> Image | None:
        """As `image`, or None when a disk fault or a hand has damaged it."""
        try:
            return self.image(image_id)
        except (NotFound, RegistryError):
            return None

    def tag(self, reference: str, name: str) -> None:
        """Call the image *reference* also *name*. Raises NotFound, ConfigError."""
        target = parse_reference(name)
        if target.digest:
            raise ConfigError(
                f'"{name}" holds a digest, which nobody can give an image',
                fix="write a name with a tag, such as app:1",
            )
        row = NameRow(target.name, target.tag, "", self.find_id(reference))
        if not self.catalog.tag(row):
            raise missing(reference)

    def is_complete(self, image_id: str) -> bool:
        """Are all blobs and layers of the image here?"""
        try:
            image = self.image(image_id)
            self.layers(image.config.id)
        except (NotFound, RegistryError):
            return False
        return all(self.blobs.has(layer.digest) for layer in image.manifest.layers)

    # -- for a registry client that sends ---------------------------------------------------------
    def published(self, reference: Reference) -> str:
        """The digest of the manifest to send for *reference*.

        Raises NotFound, and Unsupported for an image that was built FROM host.
        """
        row = self.row(reference)
        image = None if row is None else self.catalog.image(row.image)
        if image is None:
            raise missing(reference.familiar)
        if self.lies_on_host(ImageId(image.id)):
            raise Unsupported(
                f"{reference.familiar} was built FROM host: it has only what lies above this "
                "machine's own files, and cannot be pushed",
                fix="build it on an image, for example FROM debian:12",
            )
        return image.manifest

    def origins(self, digest: str) -> tuple[Reference, ...]:
        """The names of images with the blob *digest*: their repositories may have it as well."""
        found: dict[Reference, None] = {}
        for row in self.catalog.images():
            if self.readable(row.id) is not None and digest in self.blobs_of(row):
                for name in self.catalog.names(row.id):
                    found[name.reference] = None
        return tuple(found)

    def blobs_of(self, row: ImageRow) -> frozenset[str]:
        """The digests of all that the image consists of."""
        manifest = parse_manifest(self.blobs.read(row.manifest))
        if isinstance(manifest, Index):
            return frozenset({row.manifest, row.id})
        return frozenset({row.manifest, row.id, *(layer.digest for layer in manifest.layers)})

    # -- layers of no image that are kept: the cache of builds ------------------------------------
    def pin(self, digest: str) -> None:
        """Keep the blob and the layer *digest*, though no image has them."""
        os.makedirs(self._pins, 0o700, exist_ok=True)
        with open(os.path.join(self._pins, hex_of(digest)), "wb"):
            pass

    def pinned(self) -> frozenset[str]:
        try:
            return frozenset(f"sha256:{name}" for name in os.listdir(self._pins))
        except FileNotFoundError:
            return frozenset()

    def unpin(self, digest: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self._pins, hex_of(digest)))

    # -- locks ------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """While this lasts nothing is swept; any number of processes may hold it."""
        fd = self._open_lock()
        try:
            fcntl.flock(fd, fcntl.LOCK_SH)
            yield
        finally:
            os.close(fd)

    @contextlib.contextmanager
    def sweeping(self) -> Iterator[bool]:
        """The right to sweep what no image has; False when somebody is bringing an image in."""
        fd = self._open_lock()
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(fd)

    def _open_lock(self) -> int:
        os.makedirs(self._directory, 0o700, exist_ok=True)
        path = os.path.join(self._directory, "sweep.lock")
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def missing(reference: str) -> NotFound:
    return NotFound(
        f'image "{reference}" is not on this machine',
        fix="`orchestra pull` gets it, `orchestra image load` takes it from an archive; "
        "`image: host` is always there",
    )
