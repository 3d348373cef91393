"""Builds from requests to images, with all that they need set up around them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from orchestra.build.crew import Hearing, Piece, carry_out
from orchestra.build.exchange.exchange import Exchange
from orchestra.build.filesystem import Mounter
from orchestra.build.finished import Finished, remember, said_again
from orchestra.build.guard import Guard
from orchestra.build.origins import Toolbox
from orchestra.build.records import encoded
from orchestra.build.running import Runner
from orchestra.build.seen import Seen
from orchestra.build.solver import Solver
from orchestra.build.workplace import Workplace
from orchestra.errors import OrchestraError
from orchestra.image.host import HostImage
from orchestra.image.snapshot.host import HostSnapshotter
from orchestra.image.store import LocalImageStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestra.build.base import Machine
    from orchestra.build.events import StepEvent, Watch
    from orchestra.build.request import BuildRequest
    from orchestra.model.source import TreePath

BUILDS_AT_ONCE = 4


class Job(NamedTuple):
    """One of several builds; *needs* names those whose images it begins with.

    *path* is the build's attribute in the compose tree, for errors.
    """

    request: BuildRequest
    needs: tuple[str, ...] = ()
    path: TreePath = ()


def build_images(
    open_machine: Callable[[], Machine],
    jobs: Mapping[str, Job],
    watch: Callable[[str, StepEvent], None],
    *,
    at_once: int = BUILDS_AT_ONCE,
) -> dict[str, str]:
    """The ids of the images of *jobs* by their names; *watch* hears the name with each event.

    Raises BuildError; then what was not finished is no image. The caller has no threads.
    """
    images: dict[str, str] = {}

    def piece(job: Job) -> Piece[str, StepEvent, str]:
        def work(tell: Watch, apart: bool) -> str:  # noqa: ARG001, FBT001 (as Piece has it)
            try:
                return build_image(open_machine, job.request, tell)
            except OrchestraError as exc:
                if not exc.path:
                    exc.at(*job.path)
                raise

        return Piece(job.needs, work)

    carry_out(
        {name: piece(job) for name, job in jobs.items()},
        Hearing(watch, images.__setitem__),
        at_once=at_once,
    )
    return images


def build_image(open_machine: Callable[[], Machine], request: BuildRequest, watch: Watch) -> str:
    """The id of the image that *request* asks for, which has its names then.

    Raises BuildError; then there is no image. The caller has no threads.
    """
    machine = open_machine()
    layout = machine.layout
    os.makedirs(layout.data_root, 0o700, exist_ok=True)  # what lies in it is the owner's only
    store = LocalImageStore(layout.images)
    told: list[StepEvent] = []

    def noting(event: StepEvent) -> None:
        told.append(event)
        watch(event)

    exchange = Exchange(request, store, layout.builds, noting)
    with store.holding(), Workplace(layout) as work, Guard() as guard, exchange:

        def another(tell: Watch) -> Toolbox:
            """For a process forked from this one, which shares no connection with it."""
            apart = Exchange(request, store, layout.builds, tell)
            return _toolbox(open_machine(), apart, work, guard)

        tools = _toolbox(machine, exchange, work, guard)
        if work.is_alone:
            tools.runner.sweep()
        try:
            image = Solver(request, tools, another, noting).build()
            exchange.export(tools.records, image)
        finally:
            tools.records.flush(store.unpacked.sync)
            tools.runner.close()
        if request.asked and tools.seen.is_whole and not tools.records.are_ambiguous:
            remember(layout, _finished(tools, image, told))
        return image


def _finished(tools: Toolbox, image: str, told: Iterable[StepEvent]) -> Finished:
    """What there is to remember of a build whose records are flushed."""
    store, request = tools.store, tools.request
    found = store.image(image)
    blobs = (image, found.manifest_digest, *(layer.digest for layer in found.manifest.layers))
    return Finished(
        asked=request.asked,
        seen=tools.seen.stamps,
        bases=tools.seen.images,
        records={
            tools.records.path(key): encoded(record) for key, record in tools.records.used.items()
        },
        needed=(
            *map(store.blobs.path, blobs),
            *map(store.unpacked.path, found.document.diff_ids),
        ),
        image=image,
        manifest=found.manifest_digest,
        names=tuple((name.name, name.tag) for name in request.names),
        told=said_again(told),
    )


def _toolbox(machine: Machine, exchange: Exchange, work: Workplace, guard: Guard) -> Toolbox:
    layout, request = machine.layout, exchange.request
    seen = Seen()
    if request.seen is not None:
        seen.adopt(request.seen)
    store = LocalImageStore(layout.images)
    host = HostSnapshotter(HostImage(os.path.join(layout.images, "host")))
    return Toolbox(
        request=request,
        store=store,
        mounter=Mounter(store, host),
        records=exchange.records(),
        exchange=exchange,
        work=work,
        runner=Runner(machine, guard, request.limits, work.path),
        caches=os.path.join(layout.builds, "caches"),
        kept=layout.builds,
        seen=seen,
    )
