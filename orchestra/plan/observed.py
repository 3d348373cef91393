"""The snapshot of what exists of a project, indexed for planning. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model import labels
from orchestra.model.state import Status

if TYPE_CHECKING:
    from orchestra.engine.base import ObservedProject
    from orchestra.model.container import Pairs
    from orchestra.model.network import NetworkState, VolumeState
    from orchestra.model.state import ContainerState


class Observed:
    """Containers by service, networks and volumes by full name; read only."""

    def __init__(self, project: ObservedProject) -> None:
        self.containers = project.containers
        self.networks: dict[str, NetworkState] = {n.spec.name: n for n in project.networks}
        self.volumes: dict[str, VolumeState] = {v.spec.name: v for v in project.volumes}
        self._by_service: dict[str, list[ContainerState]] = {}
        for container in sorted(project.containers, key=lambda c: (c.number, c.created_ns)):
            if not container.oneoff:
                self._by_service.setdefault(container.service, []).append(container)

    def of_service(self, service: str) -> tuple[ContainerState, ...]:
        """The containers of *service* by number, without one-off ones."""
        return tuple(self._by_service.get(service, ()))

    def hooks_of(self, service: str) -> tuple[ContainerState, ...]:
        """Containers of `pre_start` commands of *service*, of an earlier time."""
        return tuple(c for c in self.containers if c.service == service and c.is_hook)

    def orphans(self, known: frozenset[str]) -> tuple[ContainerState, ...]:
        """The containers of services that the compose files do not know (any more).

        One-off containers that have ended belong to them, whatever their service.
        """
        return tuple(
            container
            for container in sorted(self.containers, key=lambda c: (c.service, c.number, c.name))
            if container.service not in known or _is_left_over(container)
        )

    def anonymous_volumes(self, container: ContainerState) -> dict[str, str]:
        """The anonymous volumes of *container*: target -> volume name."""
        found: dict[str, str] = {}
        for name in container.mounts:
            volume = self.volumes.get(name)
            if volume is not None and volume.spec.anonymous:
                found[volume.spec.key] = name
        return found

    def network_hash(self, name: str) -> str:
        """The config hash that the network was made with; "" when unknown."""
        return _label(self.networks[name].spec.labels, labels.CONFIG_HASH)

    def volume_hash(self, name: str) -> str:
        """The config hash that the volume was made with; "" when unknown."""
        return _label(self.volumes[name].spec.labels, labels.CONFIG_HASH)


def _label(pairs: Pairs, key: str) -> str:
    for name, value in pairs:
        if name == key:
            return value
    return ""


def _is_left_over(container: ContainerState) -> bool:
    """Has `run` left it? A failed `pre_start` is the service's, and kept to be looked at."""
    ended = container.status in (Status.EXITED, Status.DEAD)
    return container.oneoff and ended and not container.is_hook
