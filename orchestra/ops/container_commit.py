"""`container commit`: what a container has written, as a new image over its own."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING

from orchestra.errors import Unsupported
from orchestra.image.changes import with_changes
from orchestra.image.difftar import archive_of
from orchestra.image.host import HOST_IMAGE
from orchestra.image.making import Step, make_image, store_layer
from orchestra.image.receive import Receiver
from orchestra.image.snapshot.overlay import written_layer
from orchestra.image.store import LocalImageStore
from orchestra.model.container import ImageId
from orchestra.model.state import Status
from orchestra.named import NamedTuple
from orchestra.ops.container_find import find_container
from orchestra.ops.container_root import read_spec
from orchestra.ops.dispatch import carry_out
from orchestra.ops.image_import import named
from orchestra.plan.lifecycle import plan_each
from orchestra.plan.operations import Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.image.changes import Settings
    from orchestra.model.container import ContainerSpec
    from orchestra.model.image import ImageConfig
    from orchestra.model.state import ContainerState
    from orchestra.ops.host import Host

_COMPOSE_LABELS = "com.docker.compose."


class CommitOptions(NamedTuple):
    """*name* may be ""; *pause* freezes a running container meanwhile."""

    container: str
    name: str = ""
    changes: tuple[str, ...] = ()
    message: str = ""
    author: str = ""
    pause: bool = True


def container_commit(host: Host, options: CommitOptions) -> str:
    """Make the image; its id.

    Raises NotFound for the container or its image, ConfigError for names and changes, Unsupported
    for a container of `host`.
    """
    layout = host.layout
    names = named(options.name)
    state = find_container(layout, options.container)
    store = LocalImageStore(layout.images)
    if state.image_id == HOST_IMAGE or store.lies_on_host(ImageId(state.image_id)):
        raise Unsupported(
            f"container {state.name} runs on `image: host`, which nobody else could put below it",
            fix="commit containers of images that were pulled, loaded or built",
        )
    with Receiver(store) as receiver:
        image = store.image(state.image_id)
        document = json.loads(store.blobs.read(image.id))
        before = document.get("config") or {}
        settings = _with_container(before, image.config, read_spec(layout, state))
        settings = with_changes(settings, options.changes)
        upper = written_layer(layout.snapshot(state.project, state.id))
        if not os.path.isdir(upper):
            raise Unsupported(
                f"container {state.name} is a whole copy of its image: what it has changed is "
                "not known",
                fix="set ORCHESTRA_DATA_ROOT to a file system that can hold overlays",
            )
        with _frozen(host, state) if options.pause else contextlib.nullcontext():
            layer = store_layer(receiver, archive_of(upper))
        step = Step(layer, settings, " ".join(state.command), options.message, options.author)
        return make_image(receiver, (image, document), step, names, time.time_ns())


def _with_container(settings: Settings, image: ImageConfig, spec: ContainerSpec) -> Settings:
    """The image's *settings* with what the container was started with; not Compose's own labels."""
    process = spec.process
    merged = dict(settings)
    entrypoint = image.entrypoint
    if process.argv != (*entrypoint, *image.command):
        if process.argv[: len(entrypoint)] != entrypoint:
            merged["Entrypoint"], entrypoint = None, ()
        merged["Cmd"] = list(process.argv[len(entrypoint) :])
    merged["Env"] = [f"{name}={value}" for name, value in process.env]
    if process.cwd != "/" or settings.get("WorkingDir"):
        merged["WorkingDir"] = process.cwd
    merged["User"] = process.user
    if spec.exposed_ports:
        merged["ExposedPorts"] = {port: {} for port in spec.exposed_ports}
    labels = {key: value for key, value in spec.labels if not key.startswith(_COMPOSE_LABELS)}
    if labels:
        merged["Labels"] = labels
    return merged


@contextlib.contextmanager
def _frozen(host: Host, state: ContainerState) -> Iterator[None]:
    """The container stands still meanwhile, if it runs."""
    if state.status != Status.RUNNING:
        yield
        return
    pause = plan_each((state,), Verb.PAUSE, {"type": "PauseContainer"})
    unpause = plan_each((state,), Verb.UNPAUSE, {"type": "UnpauseContainer"})
    carry_out(host, state.project, pause, lambda _: None)
    try:
        yield
    finally:
        carry_out(host, state.project, unpause, lambda _: None)
