"""`run --rm`: removes containers some time after their end, also when the command was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.embedded import making
from orchestra.model.state import Status

if TYPE_CHECKING:
    from orchestra.engine.embedded.core import Container, Core
    from orchestra.engine.embedded.events import ContainerEvent

_ENDED = (Status.EXITED, Status.DEAD)


class AutoRemover:
    """Watches for the ends of containers whose specification says `remove_after_s`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        core.listeners.append(self._on_event)
        for container in core.containers.values():
            if container.state.status in _ENDED:
                self._schedule(container)

    def _on_event(self, event: ContainerEvent) -> None:
        if event.action == "die" and not event.restarting:
            container = self._core.containers.get(event.id)
            if container is not None:
                self._schedule(container)

    def _schedule(self, container: Container) -> None:
        delay_s = container.spec.remove_after_s
        if delay_s is not None and container.removal_timer is None:
            container.removal_timer = self._core.loop.call_later(
                delay_s, lambda: self._remove(container)
            )

    def _remove(self, container: Container) -> None:
        container.removal_timer = None
        is_there = self._core.containers.get(container.id) is container
        if is_there and not container.is_running and container.launching is None:
            making.remove_now(self._core, container, volumes=True)
