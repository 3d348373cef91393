"""One-off containers: the service as `run` changes it, and the plan for its container. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine import base as engine
from orchestra.model.container import ContainerId, PublishedPort, RestartPolicy
from orchestra.model.network import VolumeSpec
from orchestra.model.service import ServicePort, ServiceVolume, VolumeKind
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.plan.container import Identity, container_spec
from orchestra.plan.graph import Plan, PlanBuilder
from orchestra.plan.mounts import Volumes
from orchestra.plan.networking import Peers
from orchestra.plan.operations import Verb
from orchestra.plan.resources import anonymous_volume, missing_resources
from orchestra.plan.waits import Awaited, Waits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.container import ContainerSpec
    from orchestra.model.service import Service
    from orchestra.plan.desired import Desired
    from orchestra.plan.observed import Observed
    from orchestra.plan.reconcile import Environment


class Override(NamedTuple):
    """What the command line of `run` says; None and () leave the service's own."""

    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str | None], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    user: str = ""
    working_dir: str = ""
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    volumes: tuple[ServiceVolume, ...] = ()
    publish: tuple[PublishedPort, ...] = ()
    service_ports: bool = False  # publish what the service publishes
    use_aliases: bool = False  # answer to the service's names on its networks
    name: str = ""
    tty: bool = False


def overridden(service: Service, override: Override) -> Service:
    """*service* as the one-off container has it: no restart, one replica, no ports unasked."""
    environment = dict(service.environment)
    environment.update(override.environment)
    security = msgspec.structs.replace(
        service.security,
        cap_add=(*service.security.cap_add, *override.cap_add),
        cap_drop=(*service.security.cap_drop, *override.cap_drop),
    )
    replaced = {volume.target for volume in override.volumes}
    ports = service.ports if override.service_ports else ()
    return msgspec.structs.replace(
        service,
        command=override.command or service.command,
        entrypoint=service.entrypoint if override.entrypoint is None else override.entrypoint,
        environment=tuple(environment.items()),
        labels=(*service.labels, *override.labels),
        user=override.user or service.user,
        working_dir=override.working_dir or service.working_dir,
        security=security,
        volumes=(
            *(volume for volume in service.volumes if volume.target not in replaced),
            *override.volumes,
        ),
        ports=(*ports, *(ServicePort(port=port) for port in override.publish)),
        restart=RestartPolicy(),
        replicas=1,
        container_name=override.name,
        tty=override.tty,
    )


def with_volumes(desired: Desired, volumes: Iterable[ServiceVolume]) -> Desired:
    """*desired* with what *volumes* name and the project does not: nobody's, and so called."""
    known = {volume.key for volume in desired.project.volumes}
    named = (volume.source for volume in volumes if volume.kind is VolumeKind.VOLUME)
    added = tuple(
        VolumeSpec(name=name, project="", key=name)
        for name in dict.fromkeys(named)
        if name and name not in known
    )
    project = msgspec.structs.replace(desired.project, volumes=(*desired.project.volumes, *added))
    return desired._replace(project=project)


def oneoff_spec(
    desired: Desired,
    service: Service,
    observed: Observed,
    environment: Environment,
    *,
    use_aliases: bool,
) -> ContainerSpec:
    """The container of *service*, which `overridden` made, named PROJECT-SERVICE-run-ID."""
    identifier = environment.new_id()
    name = service.container_name or desired.project.made_up_name(
        service.name, "run", identifier[:12]
    )
    first: dict[str, str] = {}
    for container in observed.containers:
        if not container.oneoff:
            first.setdefault(container.service, container.id)
    return container_spec(
        desired.project,
        service,
        desired.images[service.name],
        Identity(
            id=ContainerId(identifier),
            name=name,
            number=1,
            config_hash=desired.hashes[service.name],
            oneoff=True,
            aliases=desired.aliases(service.name) if use_aliases else (),
        ),
        peers=Peers(first, {c.name: c.id for c in observed.containers}),
        volumes=Volumes(environment.new_id, images=desired.other_images),
    )


def plan_oneoff(
    desired: Desired, service: Service, spec: ContainerSpec, observed: Observed, version: str
) -> Plan[engine.Request]:
    """Make what *spec* needs, wait for the dependencies, create it and start it."""
    builder: PlanBuilder[engine.Request] = PlanBuilder()
    resource = f"Container {spec.name}"
    create = builder.add(
        Verb.CREATE,
        resource,
        request=engine.CreateContainer(spec=spec),
        cause="one-off",
        needs=_plan_resources(builder, desired, spec, observed, version),
    )
    required, wanted = _plan_waits(builder, service, observed)
    builder.add(
        Verb.START,
        resource,
        request=engine.StartContainer(id=spec.id),
        needs=[create, *required],
        wants=wanted,
    )
    return builder.build()


def _plan_resources(
    builder: PlanBuilder[engine.Request],
    desired: Desired,
    spec: ContainerSpec,
    observed: Observed,
    version: str,
) -> list[int]:
    missing = missing_resources(desired, observed, version)
    networks = {**missing.external_networks, **missing.networks}
    volumes = {**missing.external_volumes, **missing.volumes}
    nobodys = {volume.name: volume for volume in desired.project.volumes if not volume.project}
    keys = [
        builder.add(
            Verb.CREATE,
            f"Network {endpoint.network}",
            request=engine.CreateNetwork(spec=networks[endpoint.network]),
        )
        for endpoint in spec.endpoints
        if endpoint.network in networks and endpoint.network not in missing.changed
    ]
    for mount in spec.mounts:
        volume = volumes.get(mount.source, nobodys.get(mount.source))
        if mount.anonymous and mount.source not in observed.volumes:
            volume = anonymous_volume(desired.project.name, mount)
        if volume is not None:
            keys.append(
                builder.add(
                    Verb.CREATE,
                    f"Volume {mount.source}",
                    request=engine.CreateVolume(spec=volume),
                    silent=mount.anonymous or mount.source in nobodys,
                )
            )
    return keys


def _plan_waits(
    builder: PlanBuilder[engine.Request], service: Service, observed: Observed
) -> tuple[list[int], list[int]]:
    """What a start needs, and what it only wants, of the dependencies that are there."""
    required: list[int] = []
    wanted: list[int] = []
    waits = Waits(builder)
    for edge in service.depends_on:
        for container in observed.of_service(edge.service):
            awaited = Awaited(
                ContainerId(container.id), f"Container {container.name}", container, None
            )
            key = waits.until(edge.condition, awaited)
            if key is not None:
                (required if edge.required else wanted).append(key)
    return required, wanted
