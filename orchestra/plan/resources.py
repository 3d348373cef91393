"""The networks and volumes that services need: which are missing, which have changed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model import labels
from orchestra.model.hashing import resource_hash
from orchestra.model.network import NetworkSpec, VolumeSpec
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.plan.networking import BRIDGE, bridge_network

if TYPE_CHECKING:
    from orchestra.model.container import Mount, Pairs
    from orchestra.plan.desired import Desired
    from orchestra.plan.observed import Observed


class Missing(NamedTuple):
    """What must be made, by full name, with labels.

    *changed* networks exist with another configuration; *external* ones are only looked for, and
    only when a container is made that needs them.
    """

    networks: dict[str, NetworkSpec]
    volumes: dict[str, VolumeSpec]
    changed: frozenset[str]
    external_networks: dict[str, NetworkSpec]
    external_volumes: dict[str, VolumeSpec]
    warnings: tuple[str, ...]


def missing_resources(desired: Desired, observed: Observed, version: str) -> Missing:
    """What the services of *desired* use and *observed* lacks."""
    networks = {s.name: s for s in (_labelled_network(s, version) for s in _networks(desired))}
    volumes = {s.name: s for s in (_labelled_volume(s, version) for s in _volumes(desired))}
    own = {name: spec for name, spec in networks.items() if not spec.external}
    changed = frozenset(
        name
        for name, spec in own.items()
        if name in observed.networks and _differs(observed.network_hash(name), spec.labels)
    )
    return Missing(
        networks={n: s for n, s in own.items() if n in changed or n not in observed.networks},
        volumes={
            name: spec
            for name, spec in volumes.items()
            if not spec.external and name not in observed.volumes
        },
        changed=changed,
        external_networks={name: spec for name, spec in networks.items() if spec.external},
        external_volumes={name: spec for name, spec in volumes.items() if spec.external},
        warnings=tuple(
            f'Volume "{name}" exists but does not match the configuration in the compose file;'
            " it is kept as it is. `down -v` removes it with its data."
            for name, spec in volumes.items()
            if not spec.external
            and name in observed.volumes
            and _differs(observed.volume_hash(name), spec.labels)
        ),
    )


def anonymous_volume(project: str, mount: Mount) -> VolumeSpec:
    """The volume behind *mount*; its key is the target, for the next recreation."""
    return VolumeSpec(
        name=mount.source,
        project=project,
        key=mount.target,
        anonymous=True,
        labels=(*mount.labels, ("com.docker.volume.anonymous", "")),
    )


def _networks(desired: Desired) -> list[NetworkSpec]:
    project = desired.project
    used = {use.key for service in project.services for use in service.networks}
    found = [spec for spec in project.networks if project.all_resources or spec.key in used]
    if any(service.network_mode == BRIDGE for service in project.services):
        found.append(bridge_network(project))
    return found


def _volumes(desired: Desired) -> list[VolumeSpec]:
    project = desired.project
    used = {mount.source for service in project.services for mount in service.volumes}
    return [spec for spec in project.volumes if project.all_resources or spec.key in used]


def _labelled_network(spec: NetworkSpec, version: str) -> NetworkSpec:
    if spec.external:
        return spec
    return msgspec.structs.replace(spec, labels=_labels(spec, version, labels.NETWORK))


def _labelled_volume(spec: VolumeSpec, version: str) -> VolumeSpec:
    if spec.external:
        return spec
    return msgspec.structs.replace(spec, labels=_labels(spec, version, labels.VOLUME))


def _labels(spec: NetworkSpec | VolumeSpec, version: str, kind: str) -> Pairs:
    return (
        *spec.labels,
        (labels.PROJECT, spec.project),
        (kind, spec.key),
        (labels.VERSION, version),
        (labels.CONFIG_HASH, resource_hash(spec)),
    )


def _differs(made_with: str, wanted: Pairs) -> bool:
    """Was it made with another configuration? What has no hash is left alone."""
    return bool(made_with) and (labels.CONFIG_HASH, made_with) not in wanted
