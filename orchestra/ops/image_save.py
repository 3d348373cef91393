"""`image save`: images as one archive, to a file or a pipe."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound, PermissionDenied, Unsupported
from orchestra.image.host import HOST_IMAGE
from orchestra.image.reference import parse_reference
from orchestra.image.saving import Wanted, archive
from orchestra.image.store import LocalImageStore
from orchestra.model.container import ImageId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import BinaryIO

    from orchestra.image.reference import Reference
    from orchestra.layout import Layout


def image_save(layout: Layout, references: Sequence[str], path: str) -> None:
    """Write the images *references* to *path*; "" is standard output.

    A repository without a tag is all its tags, as for Docker. A file appears when it is complete.
    Raises NotFound, ConfigError for a terminal, Unsupported for `host`.
    """
    store = LocalImageStore(layout.images)
    with store.holding():
        chunks = archive(store, select(store, references))
        if path:
            write_file(path, chunks)
        elif sys.stdout.isatty():
            raise ConfigError(
                "cowardly refusing to save to a terminal",
                fix="orchestra image save -o FILE IMAGE, or > FILE",
            )
        else:
            write_stdout(chunks)


def select(store: LocalImageStore, references: Iterable[str]) -> list[Wanted]:
    """The images that *references* name, each once, with those of their names that were meant."""
    names: dict[str, dict[Reference, None]] = {}
    for reference in references:
        if reference == HOST_IMAGE:
            raise Unsupported(
                "the image host is this machine itself and cannot be saved",
                fix="save images that were pulled, loaded or built",
            )
        for image_id, name in _meant(store, reference):
            if store.lies_on_host(ImageId(image_id)):
                raise Unsupported(
                    f'image "{reference}" was built FROM host and runs on this machine only',
                    fix="build it on an image that was pulled, to save it",
                )
            names.setdefault(image_id, {}).update({} if name is None else {name: None})
    return [Wanted(store.image(image_id), tuple(found)) for image_id, found in names.items()]


def _meant(store: LocalImageStore, reference: str) -> list[tuple[str, Reference | None]]:
    row = store.find_name(reference)
    if ":" not in reference.rpartition("/")[2] and "@" not in reference:
        try:
            repository = parse_reference(reference).name
        except ConfigError:
            repository = ""
        tagged = [
            (each.image, each.reference)
            for each in store.catalog.names()
            if each.repository == repository and each.tag
        ]
        if tagged:
            return list(tagged)
    if row is not None:
        return [(row.image, row.reference if row.tag else None)]
    return [(store.find_id(reference), None)]


def write_file(path: str, chunks: Iterable[bytes], *, mode: int = 0o644) -> None:
    """Make or replace the file *path*, which appears when it is complete.

    Raises ConfigError, NotFound, PermissionDenied where no file can be, and OSError (ENOSPC).
    """
    if os.path.isdir(path):
        raise ConfigError(f"{path} is a directory", fix="name a file")
    if os.path.exists(path) and not os.path.isfile(path):  # it would be replaced by the file
        raise ConfigError(f"{path} is no regular file", fix="name a file, or pipe the output")
    draft = f"{path}.{os.getpid()}.part"
    try:
        with _created(draft, mode) as file:
            _write(file, chunks)
        os.rename(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def write_stdout(chunks: Iterable[bytes]) -> None:
    """The archive for whoever reads our output. Raises OSError."""
    _write(sys.stdout.buffer, chunks)


def _created(path: str, mode: int) -> BinaryIO:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    except (FileNotFoundError, NotADirectoryError) as exc:
        where = os.path.dirname(path) or "."
        raise NotFound(
            f'invalid output path: directory "{where}" does not exist', fix="make it first"
        ) from exc
    except PermissionError as exc:
        raise PermissionDenied(f"{path}: {exc.strerror}") from exc
    return os.fdopen(fd, "wb", buffering=0)


def _write(file: BinaryIO, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
    file.flush()
