"""`image import`: an image of one layer from the archive of a root file system."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound, Unsupported
from orchestra.image.catalog import NameRow
from orchestra.image.changes import with_changes
from orchestra.image.decompress import Limit, decompressed
from orchestra.image.making import Step, make_image, store_layer
from orchestra.image.platform import machine_platform, parse_platform
from orchestra.image.receive import Receiver
from orchestra.image.reference import parse_reference
from orchestra.image.store import LocalImageStore
from orchestra.named import NamedTuple

if TYPE_CHECKING:
    from typing import BinaryIO

    from orchestra.layout import Layout

_LIMIT = Limit(free_bytes=4 << 30, ratio=200)


class ImportOptions(NamedTuple):
    """*source* is a path, or "-" for standard input; *name* may be ""."""

    source: str
    name: str = ""
    changes: tuple[str, ...] = ()
    message: str = ""
    platform: str = ""


def image_import(layout: Layout, options: ImportOptions) -> str:
    """Make the image; its id. Raises NotFound, ConfigError, RegistryError for a bad archive."""
    names = named(options.name)
    settings = with_changes({}, options.changes)
    if options.platform:
        platform = parse_platform(options.platform)
    else:
        platform = machine_platform(os.uname().machine)
    with _opened(options.source) as file, Receiver(LocalImageStore(layout.images)) as receiver:
        layer = store_layer(receiver, decompressed(file, _LIMIT))
        message = options.message or f"Imported from {options.source}"
        step = Step(layer, settings, created_by="", comment=message)
        return make_image(receiver, platform, step, names, time.time_ns())


def named(name: str) -> tuple[NameRow, ...]:
    """The row of a new image's *name*, none for "". Raises ConfigError."""
    if not name:
        return ()
    reference = parse_reference(name)
    if reference.digest:
        raise ConfigError("refusing to create a tag with a digest reference", fix="write NAME:TAG")
    return (NameRow(reference.name, reference.tag, "", ""),)


def _opened(source: str) -> BinaryIO:
    if source == "-":
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
    if source.startswith(("http://", "https://")):
        raise Unsupported(
            f"cannot import from {source}: orchestra downloads from registries only",
            fix=f"curl -L {source} | orchestra image import - NAME",
        )
    try:
        return open(source, "rb", buffering=0)
    except FileNotFoundError as exc:
        raise NotFound(f"there is no file {source}", fix="look at the path") from exc
    except IsADirectoryError as exc:
        raise ConfigError(
            f"{source} is a directory", fix=f"tar -c -C {source} . | orchestra image import -"
        ) from exc
