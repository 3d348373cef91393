"""`container run`: a new container of no project, with the caller in front of it or not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from orchestra.engine.base import RemoveContainer, StartContainer, call
from orchestra.errors import OrchestraError
from orchestra.layout import NO_PROJECT
from orchestra.linux.tty import WindowSize, window_size
from orchestra.named import NamedTuple
from orchestra.ops.attend import STDOUT, Outcome, Subject, attend
from orchestra.ops.container_create import create_container
from orchestra.runtime.detachkeys import key_bytes
from orchestra.runtime.signalpipe import SignalPipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.engine.base import Engine
    from orchestra.model.container import ContainerSpec
    from orchestra.ops.container_create import Pulling, Wanted
    from orchestra.ops.host import Host

_READING_S = 10.0
"""--rm: how long the log is kept for us after the end, if we do not remove the container before."""


class Front(NamedTuple):
    """How the caller is in front of the container; *shown* are the streams 1 and 2."""

    stdin: bool = False
    shown: tuple[int, ...] = (1, 2)
    signals: bool = True
    detach_keys: str = ""


def container_create(host: Host, wanted: Wanted, pulling: Pulling) -> ContainerSpec:
    """Make it, and leave it at that."""
    engine = host.open_engine(NO_PROJECT)
    try:
        return create_container(host, engine, wanted, pulling)
    finally:
        engine.close()


def run_detached(
    host: Host, wanted: Wanted, pulling: Pulling, made: Callable[[ContainerSpec], None]
) -> None:
    """Make and start it; *made* hears of it in between. Raises LaunchFailed."""
    remove = wanted.remove_after_s is not None
    engine = host.open_engine(NO_PROJECT)
    try:
        spec = create_container(
            host, engine, wanted._replace(remove_after_s=0.0 if remove else None), pulling
        )
        made(spec)
        try:
            call(engine, StartContainer(id=spec.id))
        except OrchestraError:
            if remove:
                _remove(engine, spec)
            raise
    finally:
        engine.close()


def run_attended(
    host: Host,
    wanted: Wanted,
    pulling: Pulling,
    front: Front,
    made: Callable[[ContainerSpec], None],
) -> Outcome:
    """The same, with the caller in front of it until it ends or is left.

    Raises LaunchFailed, and BrokenPipeError when nobody reads our output any more: it goes on then.
    """
    keys = key_bytes(front.detach_keys)
    remove = wanted.remove_after_s is not None
    size = (window_size(STDOUT) if wanted.service.tty else None) or WindowSize(0, 0)
    engine = host.open_engine(NO_PROJECT)
    try:
        wanted = wanted._replace(remove_after_s=_READING_S if remove else None, terminal=size)
        spec = create_container(host, engine, wanted, pulling)
        made(spec)
        subject = Subject(
            NO_PROJECT,
            spec.id,
            tty=spec.process.tty,
            stdin=front.stdin,
            signals=front.signals,
            detach_keys=keys,
            is_new=True,
            starts=True,
            shown=front.shown,
        )
        try:
            with SignalPipe() as signals:
                outcome = attend(host.layout, engine, subject, signals)
        except OrchestraError:
            if remove:
                _remove(engine, spec)
            raise
        if remove and not outcome.detached:
            _remove(engine, spec)
        return outcome
    finally:
        engine.close()


def _remove(engine: Engine, spec: ContainerSpec) -> None:
    with contextlib.suppress(OrchestraError):  # it has removed itself by now
        call(engine, RemoveContainer(id=spec.id, force=True, volumes=True))
