"""Builds that are remembered: what was asked, what decided the result, and the result.

While none of it has changed, the same build need not even read its Dockerfile. A step's record
(`records`) must be as it was as well, so that `builder prune` and `--no-cache` mean the same as to
a build that goes from step to step, and using it counts as use.

Imported by those that find nothing to do, and so in need of little.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from orchestra.build.events import StepEvent, StepPhase
from orchestra.build.seen import still_so
from orchestra.image.catalog import NameRow, catalog_below
from orchestra.image.reference import parse_reference
from orchestra.model.structs import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.image.catalog import Catalog
    from orchestra.layout import Layout


class Told(Struct):
    """A StepEvent without its time."""

    step: int
    title: str
    phase: str
    text: str


class Finished(Struct):
    """A build that succeeded.

    *seen* are stamps by path and *bases* image ids by name, as in `seen.Seen`; *records* the
    contents of the steps' records by path; *needed* the blobs and layers of the image, by path.
    """

    asked: bytes
    seen: dict[bytes, bytes]
    bases: dict[str, str]
    records: dict[str, bytes]
    needed: tuple[str, ...]
    image: str
    manifest: str
    names: tuple[tuple[str, str], ...]  # (repository, tag)
    told: tuple[Told, ...]


def remember(layout: Layout, finished: Finished) -> None:
    """Keep *finished* for `recall`; one that cannot be kept is done anew each time."""
    from orchestra.runtime.statefile import write_atomically

    path = _path(layout, finished.asked)
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        write_atomically(path, msgspec.msgpack.encode(finished), durable=False)
    except OSError:
        return


def recall(layout: Layout, asked: bytes) -> Finished | None:
    """The build that was asked for by *asked*, if doing it again would find all in the cache."""
    path = _path(layout, asked)
    try:
        with open(path, "rb") as file:
            finished = msgspec.msgpack.decode(file.read(), type=Finished)
    except (OSError, msgspec.MsgspecError):
        return None
    catalog = catalog_below(layout.images)
    holds = (
        finished.asked == asked
        and all(map(os.path.exists, finished.needed))
        and still_so(finished.seen)
        and all(_leads_to(catalog, name, image) for name, image in finished.bases.items())
        and _is_image(catalog, finished)
        and _are_used(finished.records)
    )
    if not holds:
        return None
    os.utime(path)  # so that pruning can tell what is used
    return finished


def name_again(layout: Layout, finished: Finished) -> bool:
    """Give the image its names where it has lost them; False when it has just been removed."""
    catalog = catalog_below(layout.images)
    for repository, tag in finished.names:
        row = catalog.tagged(repository, tag)
        if row is not None and row.image == finished.image and not row.target:
            continue
        if not catalog.tag(NameRow(repository, tag, "", finished.image)):
            return False
    return True


def events_again(finished: Finished) -> Iterator[StepEvent]:
    for each in finished.told:
        yield StepEvent(each.step, each.title, StepPhase(each.phase), each.text)


def said_again(events: Iterable[StepEvent]) -> tuple[Told, ...]:
    """What a build that has told *events* says when it finds everything in the cache."""
    return tuple(
        Told(event.step, event.title, _phase_again(event).value, event.text)
        for event in events
        if event.phase is not StepPhase.OUTPUT
    )


def _phase_again(event: StepEvent) -> StepPhase:
    is_done = event.makes_layer and event.phase is StepPhase.DONE
    return StepPhase.CACHED if is_done else event.phase


def _leads_to(catalog: Catalog, name: str, image: str) -> bool:
    from orchestra.errors import ConfigError

    try:
        reference = parse_reference(name)
    except ConfigError:
        return False
    if reference.digest:
        row = catalog.digested(reference.name, reference.digest)
    else:
        row = catalog.tagged(reference.name, reference.tag)
    return row is not None and row.image == image


def _is_image(catalog: Catalog, finished: Finished) -> bool:
    row = catalog.image(finished.image)
    return row is not None and row.manifest == finished.manifest


def _are_used(records: dict[str, bytes]) -> bool:
    """Are the records as they were? Then they count as used, as `Records.find` has it."""
    try:
        for path, content in records.items():
            with open(path, "rb") as file:
                if file.read() != content:
                    return False
            os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _path(layout: Layout, asked: bytes) -> str:
    return os.path.join(layout.builds, "finished", f"{crc32(asked):08x}")
