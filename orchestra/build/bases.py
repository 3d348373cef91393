"""What a stage begins with: scratch, the host, an image of the store, or another stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from orchestra.build.filesystem import NO_FILES, BuiltLayer, FileSystem
from orchestra.build.settings import DEFAULT_PATH
from orchestra.image.config import RunSettings, created_ns
from orchestra.image.host import BASE_LABEL, HOST_IMAGE

if TYPE_CHECKING:
    from orchestra.image.config import HistoryEntry
    from orchestra.image.store import LocalImageStore

SCRATCH = "scratch"


class State(NamedTuple):
    """An image in the making. *has_cmd*: this stage has said CMD, so ENTRYPOINT keeps it."""

    files: FileSystem
    settings: RunSettings
    history: tuple[HistoryEntry, ...] = ()
    author: str = ""
    created_ns: int = 0
    has_cmd: bool = False


def base_state(store: LocalImageStore, name: str) -> State:
    """The state that `FROM name` begins with. Raises NotFound for an image that is not here."""
    if name == SCRATCH:
        return State(NO_FILES, RunSettings(env=(f"PATH={DEFAULT_PATH}",)))
    if name == HOST_IMAGE:
        settings = RunSettings(
            env=(f"PATH={DEFAULT_PATH}",), cmd=("/bin/sh",), labels={BASE_LABEL: HOST_IMAGE}
        )
        return State(FileSystem(HOST_IMAGE, ()), settings)
    image = store.find(name)
    store.layers(image.config.id)
    layers = tuple(
        BuiltLayer(diff_id, blob)
        for diff_id, blob in zip(image.document.diff_ids, image.manifest.layers, strict=True)
    )
    settings = _with_path(image.document.config or RunSettings())
    base = (settings.labels or {}).get(BASE_LABEL, "")
    return State(
        FileSystem(base if base == HOST_IMAGE else "", layers),
        settings,
        image.document.history or (),
        image.document.author,
        created_ns(image.document.created),
    )


def _with_path(settings: RunSettings) -> RunSettings:
    """An image without a PATH gets Docker's."""
    if any(entry.startswith("PATH=") for entry in settings.env or ()):
        return settings
    env = (f"PATH={DEFAULT_PATH}", *(settings.env or ()))
    return msgspec.structs.replace(settings, env=env)


def without_triggers(state: State) -> tuple[State, tuple[str, ...]]:
    """*state* and the ONBUILD instructions that its image has for us."""
    triggers = state.settings.on_build or ()
    settings = msgspec.structs.replace(state.settings, on_build=None)
    return state._replace(settings=settings), triggers
