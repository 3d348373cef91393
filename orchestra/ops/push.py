"""`push`: the images that services build, to their registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.errors import OrchestraError
from orchestra.image.publishing import Publisher
from orchestra.image.reference import parse_reference
from orchestra.image.store import LocalImageStore
from orchestra.named import NamedTuple
from orchestra.ops.layers import layer_progress
from orchestra.plan.desired import Dependencies, select_services
from orchestra.plan.events import Phase, Progress
from orchestra.registry.configuration import load_configuration
from orchestra.registry.push import push as push_image
from orchestra.registry.registries import Registries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.layout import Layout
    from orchestra.model.project import Project
    from orchestra.plan.events import Report
    from orchestra.registry.base import LayerProgress


class PushOptions(NamedTuple):
    """What `push` was asked; no services: all of them."""

    services: tuple[str, ...] = ()
    include_dependencies: bool = False
    ignore_failures: bool = False
    quiet: bool = False


def push(
    layout: Layout,
    environ: Mapping[str, str],
    project: Project,
    options: PushOptions,
    report: Report,
) -> None:
    """Push what the services build, under `image` and the tags of `build`.

    Raises NotFound for an image that has not been built, RegistryError.
    """
    source = Publisher(LocalImageStore(layout.images))
    with Registries(load_configuration(environ), environ) as registries:
        for name in _wanted(project, options, report):

            def watch(event: LayerProgress, name: str = name) -> None:
                if not options.quiet:
                    report(layer_progress(event, parent=name))

            report(Progress(name, Phase.WORKING, "Pushing"))
            try:
                push_image(parse_reference(name), registries, source, watch)
            except OrchestraError as exc:
                phase = Phase.WARNING if options.ignore_failures else Phase.FAILED
                report(Progress(name, phase, "Error", exc.what))
                if not options.ignore_failures:
                    raise
            else:
                report(Progress(name, Phase.DONE, "Pushed"))


def _wanted(project: Project, options: PushOptions, report: Report) -> Iterator[str]:
    """The names to push, each once; services that build nothing are told as skipped."""
    chosen = select_services(
        project,
        options.services,
        Dependencies.INCLUDED if options.include_dependencies else Dependencies.LEFT_OUT,
    )
    names: dict[str, None] = {}
    for service in chosen.services:
        if service.build is None or not service.image:
            report(Progress(service.name, Phase.DONE, "Skipped"))
        else:
            names.update(dict.fromkeys((service.image, *service.build.tags)))
    yield from names
