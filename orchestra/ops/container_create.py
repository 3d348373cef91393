"""`container create`: a container of no project, made from a Service that flags described.

It lies in the reserved project, whose supervisor it gets; networks, volumes and other containers
may be of any project.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from orchestra.engine.base import CreateContainer, CreateNetwork, call
from orchestra.errors import NotFound, OrchestraError
from orchestra.layout import NO_PROJECT
from orchestra.linux.tty import WindowSize
from orchestra.model.container import ContainerId, LogConfig, Mount, PublishedPort
from orchestra.model.network import NetworkSpec, VolumeSpec
from orchestra.model.project import Project
from orchestra.model.service import PullPolicy, ServicePort
from orchestra.model.structs import msgspec
from orchestra.named import NamedTuple
from orchestra.ops.container_find import all_states, find_container
from orchestra.ops.container_rename import check_name
from orchestra.ops.container_root import read_spec
from orchestra.ops.gather import with_seccomp_profiles
from orchestra.ops.image_pull import image_pull
from orchestra.ops.networks import DEFAULT_NETWORK, find_network
from orchestra.ops.random_name import random_name
from orchestra.ops.up import new_id
from orchestra.ops.volumes import create_volume
from orchestra.plan.container import Identity, container_spec
from orchestra.plan.mounts import Volumes
from orchestra.plan.networking import Peers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.engine.base import Engine
    from orchestra.image.reference import Reference
    from orchestra.layout import Layout
    from orchestra.model.container import ContainerSpec
    from orchestra.model.image import ImageConfig
    from orchestra.model.service import Service
    from orchestra.ops.host import Host
    from orchestra.plan.events import Report


class Wanted(NamedTuple):
    """*service* has the networks by the names or ids that the user wrote."""

    service: Service
    name: str = ""  # "": a random one
    pull: PullPolicy = PullPolicy.MISSING
    platform: str = ""
    publish_all: bool = False
    volumes_from: tuple[str, ...] = ()  # "CONTAINER[:ro]"
    attaches: bool = False  # somebody will be in front of it from its start
    remove_after_s: float | None = None  # --rm
    terminal: WindowSize = WindowSize(0, 0)  # its first size


class Pulling(NamedTuple):
    """Who hears of a pull: *begin* the complete name, *report* the layers."""

    begin: Callable[[Reference], None]
    report: Report


def create_container(host: Host, engine: Engine, wanted: Wanted, pulling: Pulling) -> ContainerSpec:
    """Make the container, with its image and what else is missing; *engine* is NO_PROJECT's.

    Raises NotFound for an image, network or container, Conflict for a name or port that is taken.
    """
    layout = host.layout
    if wanted.name:
        check_name(wanted.name)
    image = _image(host, wanted, pulling)
    service = _resolved(layout, wanted, image)
    spec = _spec(layout, wanted, service, image)
    if any(endpoint.network == DEFAULT_NETWORK for endpoint in spec.endpoints):
        network = NetworkSpec(name=DEFAULT_NETWORK, project=NO_PROJECT, key=DEFAULT_NETWORK)
        call(engine, CreateNetwork(spec=network))
    for volume in service.volumes:
        if volume.kind.value == "volume" and volume.source:
            create_volume(layout, volume.source, service.volume_driver, (), volume.labels)
    call(engine, CreateContainer(spec=spec))
    return spec


def _image(host: Host, wanted: Wanted, pulling: Pulling) -> ImageConfig:
    """The image, pulled as the policy says. Raises NotFound, RegistryError."""
    name, images = wanted.service.image, host.images()
    if wanted.pull is not PullPolicy.ALWAYS:
        try:
            return images.resolve(name)
        except NotFound as exc:
            if wanted.pull is PullPolicy.NEVER:
                raise NotFound(f"No such image: {name}", fix="leave --pull never out") from exc
    image_pull(host, name, wanted.platform, pulling.report, pulling.begin)
    return images.resolve(name)


def _resolved(layout: Layout, wanted: Wanted, image: ImageConfig) -> Service:
    """The service with ports for all that is exposed, and other containers by their ids."""
    service = wanted.service
    ports = service.ports
    if wanted.publish_all:
        published = {(entry.port.container_port, entry.port.protocol) for entry in ports}
        ports = (*ports, *_unpublished(service, image, published))

    def peer(mode: str) -> str:
        kind, colon, name = mode.partition(":")
        return f"container:{find_container(layout, name).id}" if colon else kind

    return msgspec.structs.replace(
        service,
        ports=ports,
        network_mode=peer(service.network_mode),
        pid=peer(service.pid),
        ipc=peer(service.ipc),
        external_links=tuple(
            (find_container(layout, name).name, alias) for name, alias in service.external_links
        ),
    )


def _unpublished(
    service: Service, image: ImageConfig, published: set[tuple[int, str]]
) -> Iterator[ServicePort]:
    for text in dict.fromkeys((*image.exposed_ports, *service.expose)):
        number, _, protocol = text.partition("/")
        if (int(number), protocol or "tcp") not in published:
            port = PublishedPort(container_port=int(number), protocol=protocol or "tcp")
            yield ServicePort(port=port)


def _spec(layout: Layout, wanted: Wanted, service: Service, image: ImageConfig) -> ContainerSpec:
    identifier = new_id()
    states = all_states(layout)
    name = wanted.name or random_name(random.SystemRandom(), {state.name for state in states})
    # the id instead of a service's name: it makes the container's place on networks its own
    service = msgspec.structs.replace(service, name=identifier[:12])
    project = with_seccomp_profiles(_project(layout, service))
    spec = _described(
        project,
        image,
        Identity(id=ContainerId(identifier), name=name, number=1, config_hash=""),
        peers=Peers({}, {state.name: state.id for state in states}),
        volumes=Volumes(new_id, borrowed=tuple(_borrowed(layout, wanted.volumes_from))),
    )
    process = msgspec.structs.replace(
        spec.process,
        stdin_once=spec.process.stdin_open and wanted.attaches and not spec.process.tty,
        tty_rows=wanted.terminal.rows,
        tty_columns=wanted.terminal.columns,
    )
    log = LogConfig() if wanted.attaches and spec.log.driver == "none" else spec.log
    return msgspec.structs.replace(
        spec,
        process=process,
        log=log,
        image=wanted.service.image,
        labels=tuple({**dict(image.labels), **dict(service.labels)}.items()),
        remove_after_s=wanted.remove_after_s,
    )


def _described(
    project: Project, image: ImageConfig, identity: Identity, *, peers: Peers, volumes: Volumes
) -> ContainerSpec:
    """As `container_spec`, whose errors name a service: here is none that anybody knows."""
    (service,) = project.services
    try:
        return container_spec(project, service, image, identity, peers=peers, volumes=volumes)
    except OrchestraError as exc:
        exc.what = exc.what.removeprefix(f'service "{service.name}": ')
        exc.path = ()
        raise


def _project(layout: Layout, service: Service) -> Project:
    """The reserved project, with the networks and volumes that *service* names. Raises NotFound."""
    networks = []
    for use in service.networks:
        name = use.key
        if name != DEFAULT_NETWORK:
            name = find_network(layout, use.key).spec.name
        networks.append(NetworkSpec(name=name, project="", key=use.key, external=True))
    volumes = tuple(
        VolumeSpec(name=volume.source, project="", key=volume.source)
        for volume in service.volumes
        if volume.kind.value == "volume" and volume.source
    )
    return Project(
        name=NO_PROJECT,
        working_dir="/",
        services=(service,),
        networks=tuple(networks),
        volumes=volumes,
    )


def _borrowed(layout: Layout, texts: tuple[str, ...]) -> Iterator[Mount]:
    """The mounts of the containers that `--volumes-from` names, none of them anonymous here."""
    for text in texts:
        name, _, mode = text.partition(":")
        for mount in read_spec(layout, find_container(layout, name)).mounts:
            read_only = mount.read_only or mode == "ro"
            yield msgspec.structs.replace(mount, read_only=read_only, anonymous=False)
