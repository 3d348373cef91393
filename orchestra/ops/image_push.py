"""`image push`: an image of this machine to its name at a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import NotFound, Unsupported
from orchestra.image.publishing import Publisher
from orchestra.image.reference import parse_reference
from orchestra.image.store import LocalImageStore
from orchestra.named import NamedTuple
from orchestra.ops.layers import layer_progress
from orchestra.plan.pulling import HOST_IMAGE
from orchestra.registry.configuration import load_configuration
from orchestra.registry.push import push
from orchestra.registry.registries import Registries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.image.reference import Reference
    from orchestra.layout import Layout
    from orchestra.plan.events import Report
    from orchestra.registry.base import Pushed


class PushedImage(NamedTuple):
    reference: Reference
    pushed: Pushed


def image_push(
    layout: Layout,
    environ: Mapping[str, str],
    name: str,
    report: Report,
    begin: Callable[[Reference], None],
    *,
    all_tags: bool = False,
) -> tuple[PushedImage, ...]:
    """Push the image *name*, or all that are called so with any tag.

    *begin* is told the repository before anything happens. Raises NotFound, RegistryError,
    Unsupported for `host`.
    """
    if name == HOST_IMAGE:
        raise Unsupported(
            "`host` is the operating system of this machine and cannot be pushed",
            fix="build an image from packages instead",
        )
    reference = parse_reference(name)
    store = LocalImageStore(layout.images)
    wanted = _tags(store, reference) if all_tags else (reference,)
    begin(reference)
    with Registries(load_configuration(environ), environ) as registries:
        return tuple(
            PushedImage(
                each,
                push(each, registries, Publisher(store), lambda e: report(layer_progress(e))),
            )
            for each in wanted
        )


def _tags(store: LocalImageStore, reference: Reference) -> tuple[Reference, ...]:
    """All names of *reference*'s repository that have a tag. Raises NotFound."""
    found = tuple(
        row.reference
        for row in store.catalog.names()
        if row.tag and row.repository == reference.name
    )
    if not found:
        raise NotFound(
            f"no image here is called {reference.familiar_name}",
            fix="`orchestra image ls` shows those that are here",
        )
    return found
