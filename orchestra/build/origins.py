"""Toolbox: what the steps of one build share, and where their files come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.address import IMAGE_SCHEME
from orchestra.build.bases import SCRATCH, base_state
from orchestra.build.ignore import NOTHING_IGNORED, parse_ignore
from orchestra.build.source import error_at
from orchestra.build.transfer import Directory, Image
from orchestra.errors import NotFound
from orchestra.image.host import HOST_IMAGE
from orchestra.linux.remove_tree import remove_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.build.bases import State
    from orchestra.build.exchange.exchange import Exchange
    from orchestra.build.exchange.shared import SharedRecords
    from orchestra.build.filesystem import FileSystem, Mounter
    from orchestra.build.graph import Origin
    from orchestra.build.ignore import IgnoreRules
    from orchestra.build.request import BuildRequest
    from orchestra.build.running import Runner
    from orchestra.build.seen import Seen
    from orchestra.build.source import Place
    from orchestra.build.transfer import Origin as FileOrigin
    from orchestra.build.workplace import Workplace
    from orchestra.image.store import LocalImageStore


class Toolbox(NamedTuple):
    """*caches* is the directory of the cache mounts, *kept* that of all that builds keep.

    *seen* is what the build has looked at outside of the store.
    """

    request: BuildRequest
    store: LocalImageStore
    mounter: Mounter
    records: SharedRecords
    exchange: Exchange
    work: Workplace
    runner: Runner
    caches: str
    kept: str
    seen: Seen

    def origin(self, where: Origin | None, states: Mapping[int, State], place: Place) -> FileOrigin:
        """What COPY and bind mounts read from; None is the build context. Raises BuildError."""
        if where is None:
            return Directory(self.request.context, self.request.ignore, self._digests, self.seen)
        if where.stage is not None:
            return self._mounted(states[where.stage].files)
        if where.context:
            value = dict(self.request.contexts)[where.context]
            if self.is_directory(where.context):
                self.seen.read(_ignore_file(value))
                return Directory(value, _ignored_in(value, place), self._digests, self.seen)
        name = where.image or self.image_context(where.context, place)
        try:
            return self._mounted(self.image(name).files)
        except NotFound as exc:
            raise error_at(place, f"--from={name}: {exc.what}", exc.fix) from exc

    def image(self, name: str) -> State:
        """What the image *name* begins with. Raises NotFound."""
        state = base_state(self.store, name)
        if name not in (SCRATCH, HOST_IMAGE):
            self.seen.led_to(name, self.store.find_id(name))
        return state

    @property
    def _digests(self) -> str:
        return os.path.join(self.kept, "digests")

    def _mounted(self, files: FileSystem) -> Image:
        directory = self.work.directory("source")
        rootfs = self.mounter.rootfs(files, directory)
        return Image(rootfs, os.path.join(directory, "mnt"), files.key)

    def is_directory(self, name: str) -> bool:
        """Is the named context *name* a directory, and no image?"""
        return "://" not in dict(self.request.contexts)[name]

    def image_context(self, name: str, place: Place) -> str:
        """The image that stands for *name*. Raises BuildError for what is none."""
        value = dict(self.request.contexts)[name]
        if not value.startswith(IMAGE_SCHEME):
            raise error_at(
                place,
                f'the context "{name}" is {value}, which is neither a directory nor an image',
                f"give {IMAGE_SCHEME}IMAGE or a directory",
            )
        return value.removeprefix(IMAGE_SCHEME)

    def discard(self, directory: str) -> None:
        remove_tree(directory)


def _ignore_file(directory: str) -> str:
    return os.path.join(directory, ".dockerignore")


def _ignored_in(directory: str, place: Place) -> IgnoreRules:
    """By the `.dockerignore` of a named context; BuildKit obeys it, too. Raises BuildError."""
    path = _ignore_file(directory)
    try:
        with open(path, encoding="utf-8") as file:
            return parse_ignore(file.read(), path)
    except FileNotFoundError:
        return NOTHING_IGNORED
    except (OSError, UnicodeDecodeError) as exc:
        raise error_at(place, f"{path} cannot be read: {exc}") from exc
