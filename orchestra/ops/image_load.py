"""`image load`: the images of an archive, from a file or a pipe, into the store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestra.errors import ConfigError, NotFound
from orchestra.image.loading import load
from orchestra.image.store import LocalImageStore

if TYPE_CHECKING:
    from orchestra.image.loading import Loaded
    from orchestra.layout import Layout


def image_load(layout: Layout, path: str) -> tuple[Loaded, ...]:
    """Load the archive at *path*; "" is standard input.

    Raises NotFound, RegistryError for what is no good archive, ConfigError for a terminal.
    """
    store = LocalImageStore(layout.images)
    if not path:
        if sys.stdin.isatty():
            raise ConfigError(
                "requested load from stdin, but stdin is a terminal",
                fix="orchestra image load -i FILE, or < FILE",
            )
        return load(store, sys.stdin.buffer)
    try:
        with open(path, "rb", buffering=0) as file:
            return load(store, file)
    except FileNotFoundError as exc:
        raise NotFound(f"there is no file {path}", fix="look at the path after --input") from exc
    except IsADirectoryError as exc:
        raise ConfigError(
            f"{path} is a directory", fix=f"tar -c -C {path} . | orchestra image load"
        ) from exc
