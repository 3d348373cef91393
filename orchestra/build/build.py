"""`build_image`: one build from a request to an image, with all that it needs set up around it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.build.exchange.exchange import Exchange
from orchestra.build.filesystem import Mounter
from orchestra.build.guard import Guard
from orchestra.build.origins import Toolbox
from orchestra.build.running import Runner
from orchestra.build.solver import Solver
from orchestra.build.workplace import Workplace
from orchestra.image.host import HostImage
from orchestra.image.snapshot.host import HostSnapshotter
from orchestra.image.store import LocalImageStore

if TYPE_CHECKING:
    from orchestra.build.base import Machine
    from orchestra.build.events import Watch
    from orchestra.build.request import BuildRequest


def build_image(machine: Machine, request: BuildRequest, watch: Watch) -> str:
    """The id of the image that *request* asks for, which has its names then.

    Raises BuildError; then there is no image. The caller has no threads.
    """
    layout = machine.layout
    os.makedirs(layout.data_root, 0o700, exist_ok=True)  # what lies in it is the owner's only
    store = LocalImageStore(layout.images)
    host = HostSnapshotter(HostImage(os.path.join(layout.images, "host")))
    exchange = Exchange(request, store, layout.builds, watch)
    with store.holding(), Workplace(layout) as work, Guard() as guard, exchange:
        records = exchange.records()
        runner = Runner(machine, guard, request.limits, work.path)
        toolbox = Toolbox(
            request=request,
            store=store,
            mounter=Mounter(store, host),
            records=records,
            exchange=exchange,
            work=work,
            runner=runner,
            caches=os.path.join(layout.builds, "caches"),
        )
        if work.is_alone:
            runner.sweep()
        try:
            image = Solver(request, toolbox, watch).build()
            exchange.export(records, image)
            return image
        finally:
            toolbox.records.flush(store.unpacked.sync)
            runner.close()
